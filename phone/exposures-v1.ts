import { DAY_SECONDS, INTERVAL_SECONDS, utcDay } from '../lib/exposure/intervals.ts';
import type { AcceptedSighting, AdmittedKey } from './matching.ts';
import { SAME_SCAN_SECONDS } from './windows.ts';

/** A longer gap between two sightings ends an encounter (P M-17). */
const ENCOUNTER_GAP_SECONDS = 600;
const SCAN_INTERVAL_SECONDS = 300;
/** What the app is shown at most, of a duration or of a bucket, in minutes (P M-18, M-22). */
const SHOWN_MINUTES = 30;

export interface AttenuationThresholds {
  low: number;
  high: number;
}

export interface TimedAttenuation {
  epochSeconds: number;
  attenuationDb: number;
}

export interface Stretch {
  seconds: number;
  attenuationDb: number;
}

/** Time below the lower threshold, between the two, from the upper one on (P M-21). */
export type BucketSeconds = readonly [low: number, mid: number, high: number];

export interface Encounter {
  durationSeconds: number;
  attenuationValue: number;
  attenuationDurationsSeconds: BucketSeconds;
  stretches: readonly Stretch[];
}

/** All encounters with one person on one UTC day, i.e. of one key (P M-22). */
export interface Exposure {
  /** First second of the day of the key's start. */
  dayEpochSeconds: number;
  /** First second of the key. */
  keyStartEpochSeconds: number;
  transmissionRiskLevel: number | undefined;
  durationMinutes: number;
  attenuationValue: number;
  bucketSeconds: BucketSeconds;
}

/** The encounters behind the accepted sightings of one key (P M-16 to M-21). */
export function encounters(
  byIdentifier: readonly (readonly AcceptedSighting[])[],
  thresholds: AttenuationThresholds,
): Encounter[] {
  const merged = byIdentifier.flatMap(strongestPerScan).sort((a, b) => a.epochSeconds - b.epochSeconds);
  return splitAtGaps(merged).map((sightings) => {
    const first = sightings[0]?.epochSeconds ?? 0;
    const last = sightings.at(-1)?.epochSeconds ?? 0;
    const parts = stretches(sightings, SCAN_INTERVAL_SECONDS);
    return {
      durationSeconds: roundDuration(last - first + SCAN_INTERVAL_SECONDS),
      attenuationValue: weightedAttenuation(parts),
      attenuationDurationsSeconds: bucketSeconds(parts, thresholds),
      stretches: parts,
    };
  });
}

/** One exposure from all encounters of a key, undefined when there is none (P M-22). */
export function exposureOf(
  key: Pick<AdmittedKey, 'rollingStartIntervalNumber' | 'transmissionRiskLevel'>,
  all: readonly Encounter[],
): Exposure | undefined {
  if (all.length === 0) return undefined;
  const keyStart = key.rollingStartIntervalNumber * INTERVAL_SECONDS;
  const sum = (of: (encounter: Encounter) => number): number => all.reduce((total, e) => total + of(e), 0);
  return {
    dayEpochSeconds: utcDay(keyStart) * DAY_SECONDS,
    keyStartEpochSeconds: keyStart,
    transmissionRiskLevel: key.transmissionRiskLevel,
    durationMinutes: sum((e) => e.durationSeconds) / 60,
    attenuationValue: weightedAttenuation(all.flatMap((e) => e.stretches)),
    bucketSeconds: [
      sum((e) => e.attenuationDurationsSeconds[0]),
      sum((e) => e.attenuationDurationsSeconds[1]),
      sum((e) => e.attenuationDurationsSeconds[2]),
    ],
  };
}

/** Duration as the app shows it: at most 30 minutes (P M-18). */
function shownMinutes(minutes: number): number {
  return Math.min(SHOWN_MINUTES, minutes);
}

/** Bucket time of a summary in whole minutes, at most 30 (P M-22, section 9 point 7). */
export function shownBucketMinutes(seconds: number): number {
  return shownMinutes(Math.floor(seconds / 60));
}

/** The sightings as stretches of constant attenuation, half a scan interval longer at both ends (P M-19). */
export function stretches(sightings: readonly TimedAttenuation[], scanIntervalSeconds: number): Stretch[] {
  const first = sightings[0];
  const last = sightings.at(-1);
  if (first === undefined || last === undefined) return [];
  const half = scanIntervalSeconds / 2;
  const points = [
    { ...first, epochSeconds: first.epochSeconds - half },
    ...sightings,
    { ...last, epochSeconds: last.epochSeconds + half },
  ];
  return points
    .slice(1)
    .map((point, i) => {
      const earlier = points[i] as TimedAttenuation;
      return { seconds: point.epochSeconds - earlier.epochSeconds, attenuationDb: earlier.attenuationDb };
    })
    .filter(({ seconds }) => seconds > 0);
}

/** Mean attenuation weighted by time, rounded half up (P M-20). */
export function weightedAttenuation(parts: readonly Stretch[]): number {
  const weighted = parts.reduce((sum, part) => sum + part.attenuationDb * part.seconds, 0);
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  return Math.round(weighted / seconds);
}

function bucketSeconds(parts: readonly Stretch[], { low, high }: AttenuationThresholds): BucketSeconds {
  const time = (holds: (db: number) => boolean): number =>
    parts.reduce((sum, part) => sum + (holds(part.attenuationDb) ? part.seconds : 0), 0);
  return [time((db) => db < low), time((db) => db >= low && db < high), time((db) => db >= high)];
}

/** The strongest sighting of each scan of one identifier, with its own time; of equal ones the first (P M-16). */
function strongestPerScan(sightings: readonly AcceptedSighting[]): AcceptedSighting[] {
  const strongest: AcceptedSighting[] = [];
  let previous = Number.NEGATIVE_INFINITY;
  for (const sighting of sightings) {
    const best = strongest.at(-1);
    if (best === undefined || sighting.epochSeconds - previous > SAME_SCAN_SECONDS) strongest.push(sighting);
    else if (sighting.rssi > best.rssi) strongest[strongest.length - 1] = sighting;
    previous = sighting.epochSeconds;
  }
  return strongest;
}

function splitAtGaps(sightings: readonly AcceptedSighting[]): AcceptedSighting[][] {
  const groups: AcceptedSighting[][] = [];
  for (const sighting of sightings) {
    const group = groups.at(-1);
    const gap = sighting.epochSeconds - (group?.at(-1)?.epochSeconds ?? Number.NEGATIVE_INFINITY);
    if (group === undefined || gap > ENCOUNTER_GAP_SECONDS) groups.push([sighting]);
    else group.push(sighting);
  }
  return groups;
}

/** To a multiple of five minutes; a remainder of at most 150 s goes down (P M-18). */
function roundDuration(seconds: number): number {
  const rest = seconds % SCAN_INTERVAL_SECONDS;
  return seconds - rest + (rest <= SCAN_INTERVAL_SECONDS / 2 ? 0 : SCAN_INTERVAL_SECONDS);
}
