import type { ConfigAndroid } from '../lib/exposure/app-config.ts';
import type { RiskV2Parameters } from './risk-v2.ts';
import { detectionsPerDay, type Timeouts, timeouts } from './schedule.ts';
import { DEFAULT_KEYS_DATA_MAPPING, type KeysDataMapping } from './windows.ts';

/** What the phone takes from its configuration. */
export interface PhoneConfiguration {
  risk: RiskV2Parameters;
  mapping: KeysDataMapping;
  supportedCountries: readonly string[];
  /** ETags exactly as listed: both spellings, with and without quotes, may be there. */
  revokedEtags: ReadonlySet<string>;
  detectionsPerDay: number;
  timeouts: Timeouts;
}

export type ConfigurationFault =
  | 'RISK_PARAMETERS_MISSING'
  | 'RISK_VALUES_MISSING'
  | 'DATA_MAPPING_MISSING'
  | 'DAYS_SINCE_ONSET'
  | 'INFECTIOUSNESS'
  | 'REPORT_TYPE_WHEN_MISSING'
  | 'REISSUE_KEY_DIGEST';

/** A configuration that is signed but must not come into force (D 3.6). */
export class ConfigurationError extends Error {
  readonly reason: ConfigurationFault;

  constructor(reason: ConfigurationFault) {
    super(`the configuration is refused: ${reason}`);
    this.name = 'ConfigurationError';
    this.reason = reason;
  }
}

const MOST_MAPPED_DAYS = 29;

/**
 * Checks and reads a configuration as the Android app does (D 3.6, P R2-6).
 * @throws ConfigurationError when the app would keep the one it has
 */
export function readConfiguration(config: ConfigAndroid): PhoneConfiguration {
  const { riskCalculationParameters: risk, diagnosisKeysDataMapping: mapping } = config;
  if (risk === undefined) throw new ConfigurationError('RISK_PARAMETERS_MISSING');
  if (risk.transmissionRiskValueMapping.length === 0) throw new ConfigurationError('RISK_VALUES_MISSING');
  if (mapping === undefined) throw new ConfigurationError('DATA_MAPPING_MISSING');
  assertMapping(mapping);
  if (!config.dgcParameters?.reissueServicePublicKeyDigest.length) throw new ConfigurationError('REISSUE_KEY_DIGEST');
  const download = config.keyDownloadParameters;
  const detection = config.exposureDetectionParameters;
  return {
    risk,
    mapping,
    supportedCountries: supportedCountries(config.supportedCountries),
    revokedEtags: new Set(
      [...(download?.revokedDayPackages ?? []), ...(download?.revokedHourPackages ?? [])].map(({ etag }) => etag),
    ),
    detectionsPerDay: detectionsPerDay(detection?.maxExposureDetectionsPerInterval),
    timeouts: timeouts({
      download: download?.downloadTimeoutInSeconds ?? 0,
      session: download?.overallTimeoutInSeconds ?? 0,
      detection: detection?.overallTimeoutInSeconds ?? 0,
    }),
  };
}

function assertMapping(mapping: KeysDataMapping): void {
  const entries = Object.entries(mapping.daysSinceOnsetToInfectiousness);
  const inRange = (value: number, min: number, max: number): boolean => value >= min && value <= max;
  if (entries.length > MOST_MAPPED_DAYS || !entries.every(([days]) => inRange(Number(days), -14, 14))) {
    throw new ConfigurationError('DAYS_SINCE_ONSET');
  }
  const levels = [...entries.map(([, level]) => level), mapping.infectiousnessWhenDaysSinceOnsetMissing];
  if (!levels.every((level) => inRange(level, 0, 2))) throw new ConfigurationError('INFECTIOUSNESS');
  if (!inRange(mapping.reportTypeWhenMissing, 1, 5)) throw new ConfigurationError('REPORT_TYPE_WHEN_MISSING');
}

/** One malformed entry empties the list, and an empty list means DE (D 3.6). */
function supportedCountries(listed: readonly string[]): readonly string[] {
  return listed.length > 0 && listed.every((country) => /^[A-Z]{2}$/.test(country)) ? [...listed] : ['DE'];
}

/** In force until the first configuration arrives: the parameters since app 1.15 (P section 5). */
export const BUILT_IN_CONFIGURATION: PhoneConfiguration = {
  risk: {
    minutesAtAttenuationWeights: [
      { attenuationRange: { min: 0, max: 63, maxExclusive: true }, weight: 0.8 },
      { attenuationRange: { min: 63, max: 73, maxExclusive: true }, weight: 1 },
      { attenuationRange: { min: 73, max: 79, maxExclusive: true }, weight: 0.1 },
    ],
    normalizedTimePerEWToRiskLevelMapping: [
      { normalizedTimeRange: { min: 0, max: 9, maxExclusive: true }, riskLevel: 1 },
      { normalizedTimeRange: { min: 9, max: 9999 }, riskLevel: 2 },
    ],
    normalizedTimePerDayToRiskLevelMapping: [
      { normalizedTimeRange: { min: 5, max: 9, maxExclusive: true }, riskLevel: 1 },
      { normalizedTimeRange: { min: 9, max: 99_999 }, riskLevel: 2 },
    ],
    transmissionRiskValueMapping: [0, 0, 0.6, 0.8, 1, 1.2, 1.4, 1.6].map((value, i) => ({
      transmissionRiskLevel: i + 1,
      transmissionRiskValue: value,
    })),
    maxEncounterAgeInDays: 10,
  },
  mapping: DEFAULT_KEYS_DATA_MAPPING,
  supportedCountries: ['DE'],
  revokedEtags: new Set(),
  detectionsPerDay: 6,
  timeouts: timeouts({}),
};
