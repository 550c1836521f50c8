import { DAY_SECONDS } from '../lib/exposure/intervals.ts';
import { type Exposure, shownBucketMinutes } from './exposures-v1.ts';

/** The part of the v1 application configuration that the calculation needs; absent numbers are 0 (P section 4). */
export interface RiskV1Config {
  minRiskScore: number;
  scores: RiskV1Scores;
  /** Buckets of attenuation in dB (P R1-6). */
  thresholds: { low: number; high: number };
  weights: { low: number; mid: number; high: number };
  defaultBucketOffset: number;
  riskScoreNormalizationDivisor: number;
  classes: readonly RiskClass[];
}

/** Eight scores a category, in the order of the table of P R1-1. */
export interface RiskV1Scores {
  transmission: readonly number[];
  duration: readonly number[];
  daysSinceExposure: readonly number[];
  attenuation: readonly number[];
}

export interface RiskClass {
  label: string;
  min: number;
  max: number;
}

export type BucketMinutes = readonly [low: number, mid: number, high: number];

/** What the framework tells the app about one matching session (P M-22). */
export interface ExposureSummary {
  matchedKeyCount: number;
  daysSinceLastExposure: number | undefined;
  maximumRiskScore: number;
  riskScoreSum: number;
  bucketMinutes: BucketMinutes;
}

export class RiskCalculationError extends Error {
  readonly reason:
    | 'NO_HIGH_CLASS'
    | 'SCORE_ABOVE_HIGH'
    | 'SCORE_IN_NO_CLASS'
    | 'REPORT_TYPE'
    | 'CONFIGURATION_OUTDATED';

  constructor(reason: RiskCalculationError['reason']) {
    super(`risk cannot be calculated: ${reason}`);
    this.name = 'RiskCalculationError';
    this.reason = reason;
  }
}

/** Interval of the duration in minutes, a real number: 15.3 is more than 15 (P R1-1, R1-2). */
export function durationIndex(minutes: number): number {
  if (minutes <= 0) return 0;
  return minutes > 30 ? 7 : Math.ceil(minutes / 5);
}

/** Interval of the whole days since exposure (P R1-1). */
export function daysIndex(days: number): number {
  return days >= 14 ? 0 : 7 - Math.floor(Math.max(0, days) / 2);
}

/** Interval of the weighted attenuation in dB (P R1-1). */
export function attenuationIndex(db: number): number {
  return [73, 63, 51, 33, 27, 15, 10].filter((border) => db <= border).length;
}

/** Factor of the transmission risk level: 1 when the level is 0 or absent (P R1-3). */
function transmissionScore(level: number | undefined, scores: RiskV1Scores): number {
  return level === undefined || level < 1 || level > 8 ? 1 : (scores.transmission[level - 1] ?? 0);
}

/** Product of the four scores of an exposure, 0 to 4096 (P R1-3). */
export function totalRiskScore(exposure: Exposure, scores: RiskV1Scores, nowSeconds: number): number {
  const days = Math.floor((nowSeconds - exposure.keyStartEpochSeconds) / DAY_SECONDS);
  return (
    transmissionScore(exposure.transmissionRiskLevel, scores) *
    (scores.daysSinceExposure[daysIndex(days)] ?? 0) *
    (scores.attenuation[attenuationIndex(exposure.attenuationValue)] ?? 0) *
    (scores.duration[durationIndex(exposure.durationMinutes)] ?? 0)
  );
}

/** Summary over all exposures; one below the minimum score adds nothing (P R1-4, M-22). */
export function summarise(exposures: readonly Exposure[], config: RiskV1Config, nowSeconds: number): ExposureSummary {
  const scored = exposures
    .map((exposure) => ({ exposure, score: totalRiskScore(exposure, config.scores, nowSeconds) }))
    .filter(({ score }) => score >= config.minRiskScore);
  const seconds = (bucket: 0 | 1 | 2): number =>
    scored.reduce((sum, { exposure }) => sum + exposure.bucketSeconds[bucket], 0);
  const lastDay = Math.max(...exposures.map(({ dayEpochSeconds }) => dayEpochSeconds));
  return {
    matchedKeyCount: exposures.length,
    daysSinceLastExposure: exposures.length === 0 ? undefined : Math.floor((nowSeconds - lastDay) / DAY_SECONDS),
    maximumRiskScore: Math.max(0, ...scored.map(({ score }) => score)),
    riskScoreSum: scored.reduce((sum, { score }) => sum + score, 0),
    bucketMinutes: [shownBucketMinutes(seconds(0)), shownBucketMinutes(seconds(1)), shownBucketMinutes(seconds(2))],
  };
}

/**
 * Combined risk score (P R1-7 to R1-9): weighted minutes, each capped at 30, plus offset, times the normalised
 * maximum, rounded half-even to two decimals.
 */
export function combinedRiskScore(
  maximumRiskScore: number,
  minutes: BucketMinutes,
  config: Pick<RiskV1Config, 'weights' | 'defaultBucketOffset' | 'riskScoreNormalizationDivisor'>,
): number {
  const [low, mid, high] = minutes.map((value) => Math.min(30, value)) as [number, number, number];
  const { weights } = config;
  const exposureScore = weights.low * low + weights.mid * mid + weights.high * high + config.defaultBucketOffset;
  const normalised = maximumRiskScore / config.riskScoreNormalizationDivisor;
  return roundHalfEven(normalised * exposureScore * 100) / 100;
}

/** Risk class of a combined score: HIGH includes both ends, LOW not its upper one (P R1-10). */
export function riskClass(score: number, classes: readonly RiskClass[]): string {
  const high = classes.find(({ label }) => label === 'HIGH');
  if (high === undefined) throw new RiskCalculationError('NO_HIGH_CLASS');
  if (score > high.max) throw new RiskCalculationError('SCORE_ABOVE_HIGH');
  if (score >= high.min) return high.label;
  const other = classes.find(({ min, max }) => score >= min && score < max);
  if (other === undefined) throw new RiskCalculationError('SCORE_IN_NO_CLASS');
  return other.label;
}

export type RiskV1State = 'NO_CALCULATION' | 'UNKNOWN_INITIAL' | 'UNKNOWN_OUTDATED' | 'INCREASED' | 'LOW';

const OUTDATED_HOURS = 48;
const NEW_HOURS = 24;

/** State shown to the owner, first hit wins (P R1-11). `score` throws when it cannot be calculated: then `previous` stays. */
export function riskStateV1(input: {
  tracingActiveHours: number | undefined;
  hoursSinceLastFetch: number | undefined;
  score: () => number;
  classes: readonly RiskClass[];
  previous: RiskV1State;
}): RiskV1State {
  const { tracingActiveHours: active, hoursSinceLastFetch: fetched } = input;
  if (active === undefined) return 'NO_CALCULATION';
  if (fetched === undefined) return 'UNKNOWN_INITIAL';
  if (fetched > OUTDATED_HOURS && active >= NEW_HOURS) return 'UNKNOWN_OUTDATED';
  try {
    if (riskClass(input.score(), input.classes) === 'HIGH') return 'INCREASED';
  } catch (error) {
    if (error instanceof RiskCalculationError) return input.previous;
    throw error;
  }
  return active < NEW_HOURS ? 'UNKNOWN_INITIAL' : 'LOW';
}

function roundHalfEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  if (rest !== 0.5) return Math.round(value);
  return down % 2 === 0 ? down : down + 1;
}
