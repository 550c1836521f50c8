import { dayName, hourPath } from '../../lib/exposure/intervals.ts';

/** Object keys, as shipped apps ask for them (D 2.8); no leading slash, hours without leading zero. */
const root = 'version/v1/diagnosis-keys/country';

export const objectKeys = {
  versions: 'version',
  versionsV2: 'version/index-v2',
  regions: root,
  dateIndex: (region: string) => `${root}/${region}/date`,
  dayPackage: (region: string, day: number) => `${root}/${region}/date/${dayName(day)}`,
  hourIndex: (region: string, day: number) => `${root}/${region}/date/${dayName(day)}/hour`,
  hourPackage: (region: string, hour: number) => `${root}/${region}/date/${hourPath(hour)}`,
  configurationCountries: 'version/v1/configuration/country',
  configurationV1: (country: string) => `version/v1/configuration/country/${country}/app_config`,
  configuration: (path: 'v1' | 'v2', system: 'android' | 'ios') => `version/${path}/app_config_${system}`,
  statistics: 'version/v1/stats',
  warningCountries: 'version/v2/twp/country',
  warningIndex: (country: string) => `version/v2/twp/country/${country}/hour`,
  /** Not below the root of what phones may ask for. */
  probe: (hour: number) => `probe/${hour}`,
  warningHour: (country: string, hour: number) => `version/v2/twp/country/${country}/hour/${hour}`,
} as const;

export const json = 'application/json';
export const zip = 'application/zip';

/** Everything that may change under its name. */
export const changing = 'public,max-age=300';
/** Key packages never change once published. */
export const immutable = 'public,max-age=86400,immutable';
