import { DAY_SECONDS, utcDay } from '../lib/exposure/intervals.ts';
import { INFECTIOUSNESS, REPORT_TYPE } from '../lib/exposure/risk-level.ts';
import type { AcceptedSighting } from './matching.ts';

/** Sightings at most this far apart belong to one scan: 1.5 times a scan of 4 s and its extension of 13 s (P 2.1). */
export const SAME_SCAN_SECONDS = 25.5;
const WINDOW_SECONDS = 1800;
const SECONDS_SINCE_UNKNOWN_SCAN = 120;
const LONGEST_MINUTES_SINCE_SCAN = 5;

/** How report type and days since onset are read, from the configuration (P M-13). */
export interface KeysDataMapping {
  daysSinceOnsetToInfectiousness: Readonly<Record<number | string, number>>;
  infectiousnessWhenDaysSinceOnsetMissing: number;
  reportTypeWhenMissing: number;
}

/** What CWA has always served (P M-13). */
export const DEFAULT_KEYS_DATA_MAPPING: KeysDataMapping = {
  daysSinceOnsetToInfectiousness: { 1: 1, 2: 2 },
  infectiousnessWhenDaysSinceOnsetMissing: 0,
  reportTypeWhenMissing: 1,
};

export interface ScanInstance {
  typicalAttenuationDb: number;
  minAttenuationDb: number;
  secondsSinceLastScan: number;
}

export interface ExposureWindow {
  dateMillisSinceEpoch: number;
  reportType: number;
  infectiousness: number;
  calibrationConfidence: number;
  scanInstances: ScanInstance[];
}

/** A window before it reaches the app, which never learns the exact time (P M-14). */
export interface TimedWindow extends ExposureWindow {
  epochSeconds: number;
}

interface OpenScan {
  attenuations: number[];
  secondsSinceLastScan: number;
}

/** Infectiousness of a key by its days since onset; absent or beyond 14 days means the default (P M-13). */
export function infectiousnessOf(days: number | undefined, mapping: KeysDataMapping): number {
  if (days === undefined || Math.abs(days) > 14) return mapping.infectiousnessWhenDaysSinceOnsetMissing;
  return mapping.daysSinceOnsetToInfectiousness[days] ?? INFECTIOUSNESS.none;
}

/** Report type of a key's windows: its own, or the default when it is missing or unknown (P M-12). */
export function reportTypeOf(reportType: number, mapping: KeysDataMapping): number {
  return reportType === REPORT_TYPE.unknown ? mapping.reportTypeWhenMissing : reportType;
}

/** Cuts the sightings of one key, ordered by time, into windows of at most 30 minutes (P M-10 to M-12, M-14). */
export function cutWindows(
  sightings: readonly AcceptedSighting[],
  key: { reportType: number; infectiousness: number },
): TimedWindow[] {
  const groups: { first: AcceptedSighting; scans: OpenScan[] }[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const sighting of sightings) {
    let group = groups.at(-1);
    const cut = group === undefined || sighting.epochSeconds - group.first.epochSeconds >= WINDOW_SECONDS;
    if (cut || group === undefined) {
      group = { first: sighting, scans: [] };
      groups.push(group);
    }
    const scan = group.scans.at(-1);
    if (scan !== undefined && sighting.epochSeconds - previous <= SAME_SCAN_SECONDS) {
      scan.attenuations.push(sighting.attenuationDb);
    } else {
      group.scans.push({
        attenuations: [sighting.attenuationDb],
        secondsSinceLastScan: secondsSinceLastScan(sighting),
      });
    }
    previous = sighting.epochSeconds;
  }
  return groups.map(({ first, scans }) => ({
    epochSeconds: first.epochSeconds,
    dateMillisSinceEpoch: utcDay(first.epochSeconds) * DAY_SECONDS * 1000,
    reportType: key.reportType,
    infectiousness: key.infectiousness,
    calibrationConfidence: first.calibrationConfidence,
    scanInstances: scans.map(closeScan),
  }));
}

/** Difference of whole minutes, at most five; a gap of 241 s may read 300 (P M-11). */
function secondsSinceLastScan({ epochSeconds, previousScanEpochSeconds: previous }: AcceptedSighting): number {
  if (previous === 0) return SECONDS_SINCE_UNKNOWN_SCAN;
  return 60 * Math.min(LONGEST_MINUTES_SINCE_SCAN, Math.floor(epochSeconds / 60) - Math.floor(previous / 60));
}

function closeScan({ attenuations, secondsSinceLastScan: seconds }: OpenScan): ScanInstance {
  const sum = attenuations.reduce((a, b) => a + b, 0);
  return {
    typicalAttenuationDb: Math.round(sum / attenuations.length),
    minAttenuationDb: Math.min(...attenuations),
    secondsSinceLastScan: seconds,
  };
}

/** What the app may see of a window (P M-14). */
export function withoutTime(window: TimedWindow): ExposureWindow {
  const { dateMillisSinceEpoch, reportType, infectiousness, calibrationConfidence, scanInstances } = window;
  return { dateMillisSinceEpoch, reportType, infectiousness, calibrationConfidence, scanInstances };
}
