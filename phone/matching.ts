import { INTERVALS_PER_DAY, intervalNumber } from '../lib/exposure/intervals.ts';
import type { DecodedKey } from '../lib/exposure/key-export-reader.ts';
import { REPORT_TYPE } from '../lib/exposure/risk-level.ts';
import { AEM_OCTETS, associatedMetadataKey, cryptMetadata, identifiers, RPI_OCTETS } from './crypto.ts';
import { attenuation, decodeMetadata } from './metadata.ts';
import type { Sighting, SightingIndex } from './sighting.ts';

/** Accepted distance between the interval of an identifier and the interval of its sighting (P M-5). */
const TOLERANCE_INTERVALS = 12;
/** Sightings later than this after the first accepted one of the same identifier are replays (P M-6). */
const REPLAY_LIMIT_SECONDS = 1200;
const LOWEST_TRANSMIT_POWER = -50;
const HIGHEST_TRANSMIT_POWER = 20;

/** A diagnosis key that may be matched: every field known (P M-2). */
export interface AdmittedKey {
  keyData: Buffer;
  rollingStartIntervalNumber: number;
  rollingPeriod: number;
  /** 0 means absent or unknown: the mapping's default counts. */
  reportType: number;
  transmissionRiskLevel: number | undefined;
  daysSinceOnsetOfSymptoms: number | undefined;
}

/** A sighting that belongs to a key, with what its metadata say. */
export interface AcceptedSighting {
  /** Position of the identifier in the key: 0 is its first interval. */
  rpiIndex: number;
  epochSeconds: number;
  previousScanEpochSeconds: number;
  rssi: number;
  attenuationDb: number;
  calibrationConfidence: number;
}

/** The key when its form allows matching, whatever its report type (P M-2). */
export function wellFormedKey(key: DecodedKey): AdmittedKey | undefined {
  const { keyData, rollingStartIntervalNumber: start = 0, rollingPeriod: period = INTERVALS_PER_DAY } = key;
  if (keyData?.length !== 16 || period < 1 || period > INTERVALS_PER_DAY || start < 0) return undefined;
  return {
    keyData,
    rollingStartIntervalNumber: start,
    rollingPeriod: period,
    reportType: key.reportType ?? REPORT_TYPE.unknown,
    transmissionRiskLevel: key.transmissionRiskLevel,
    daysSinceOnsetOfSymptoms: key.daysSinceOnsetOfSymptoms,
  };
}

/** Whether keys of this report type yield results (P M-2). */
export function yieldsResults(reportType: number, options: { matchRecursive?: boolean } = {}): boolean {
  if (reportType === REPORT_TYPE.recursive) return options.matchRecursive === true;
  return reportType >= REPORT_TYPE.unknown && reportType <= REPORT_TYPE.selfReport;
}

/** The accepted sightings of a key, identifier by identifier, each list by time (P M-4 to M-8). */
export function sightingsByIdentifier(key: AdmittedKey, index: SightingIndex): AcceptedSighting[][] {
  if (index.isEmpty) return [];
  const rpis = identifiers(key.keyData, key.rollingStartIntervalNumber);
  const lists: AcceptedSighting[][] = [];
  let aemk: Buffer | undefined;
  for (let rpiIndex = 0; rpiIndex < key.rollingPeriod; rpiIndex++) {
    const seen = index.find(rpis, rpiIndex * RPI_OCTETS);
    if (seen.length === 0) continue;
    aemk ??= associatedMetadataKey(key.keyData);
    const inTime = withoutReplays(withinTolerance(seen, key.rollingStartIntervalNumber + rpiIndex));
    const accepted = inTime.flatMap((sighting) => decrypt(aemk as Buffer, rpiIndex, sighting));
    if (accepted.length > 0) lists.push(accepted);
  }
  return lists;
}

/** Union over all identifiers of a key, in index order, then by time; equal times keep index order (P M-9). */
export function byTime(lists: readonly (readonly AcceptedSighting[])[]): AcceptedSighting[] {
  return lists.flat().sort((a, b) => a.epochSeconds - b.epochSeconds);
}

function withinTolerance(sightings: readonly Sighting[], interval: number): Sighting[] {
  return sightings.filter(
    ({ epochSeconds }) => Math.abs(intervalNumber(epochSeconds) - interval) <= TOLERANCE_INTERVALS,
  );
}

function withoutReplays(sightings: readonly Sighting[]): Sighting[] {
  const sorted = [...sightings].sort((a, b) => a.epochSeconds - b.epochSeconds);
  const first = sorted[0]?.epochSeconds ?? 0;
  return sorted.filter(({ epochSeconds }) => epochSeconds - first <= REPLAY_LIMIT_SECONDS);
}

/** No sighting when its metadata are missing or name a power that no phone sends with (P M-7). */
function decrypt(aemk: Buffer, rpiIndex: number, sighting: Sighting): AcceptedSighting[] {
  if (sighting.aem.length !== AEM_OCTETS) return [];
  const metadata = decodeMetadata(cryptMetadata(aemk, sighting.rpi, sighting.aem));
  if (metadata.transmitPower < LOWEST_TRANSMIT_POWER || metadata.transmitPower > HIGHEST_TRANSMIT_POWER) return [];
  return [
    {
      rpiIndex,
      epochSeconds: sighting.epochSeconds,
      previousScanEpochSeconds: sighting.previousScanEpochSeconds,
      rssi: sighting.rssi,
      attenuationDb: attenuation(metadata.transmitPower, sighting.rssi),
      calibrationConfidence: metadata.calibrationConfidence,
    },
  ];
}
