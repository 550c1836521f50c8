import { DAY_SECONDS, INTERVAL_SECONDS, INTERVALS_PER_DAY } from './intervals.ts';

/** A key as a phone sent it; `undefined` is "absent", which is not 0 (S 1.5). Fits both generated key messages. */
export interface UploadedKey {
  readonly keyData?: Uint8Array | undefined;
  readonly transmissionRiskLevel?: number | undefined;
  readonly rollingStartIntervalNumber?: number | undefined;
  readonly rollingPeriod?: number | undefined;
  readonly daysSinceOnsetOfSymptoms?: number | undefined;
}

export interface KeyRuleSettings {
  /** A key of UTC day K is taken while K ≥ today − `retentionDays` (S 1.6). */
  readonly retentionDays: number;
}

/** One key that breaks one of these has its whole upload refused (S 1.6, "reject"). */
export type RejectRule =
  | 'KEY_DATA_LENGTH'
  | 'ROLLING_START_ALIGNMENT'
  | 'ROLLING_PERIOD'
  | 'TRANSMISSION_RISK_LEVEL'
  | 'DAYS_SINCE_ONSET'
  | 'LEVEL_OR_ONSET_MISSING';

/** A key that breaks one of these is dropped and the rest of its upload is taken (S 1.6, "filter"). */
export type FilterRule = 'ROLLING_START_IN_FUTURE' | 'ROLLING_START_NOT_POSITIVE' | 'KEY_TOO_OLD';

export type KeyRule = RejectRule | FilterRule;

export const DEFAULT_KEY_RULE_SETTINGS: KeyRuleSettings = { retentionDays: 14 };
/** Most keys of one upload (decision 17). */
export const DEFAULT_MAX_NUMBER_OF_KEYS = 30;

const KEY_DATA_BYTES = 16;

interface Rule<R extends KeyRule> {
  readonly rule: R;
  readonly broken: (key: UploadedKey, nowSeconds: number, settings: KeyRuleSettings) => boolean;
}

const rejectRules: readonly Rule<RejectRule>[] = [
  {
    rule: 'KEY_DATA_LENGTH',
    // Not looked at for keys from the future, as the original did not (S 1.6).
    broken: (key, now) => key.keyData?.length !== KEY_DATA_BYTES && !inFuture(key, now),
  },
  { rule: 'ROLLING_START_ALIGNMENT', broken: (key) => rollingStart(key) % INTERVALS_PER_DAY > 0 },
  { rule: 'ROLLING_PERIOD', broken: (key) => !within(key.rollingPeriod ?? INTERVALS_PER_DAY, 1, INTERVALS_PER_DAY) },
  { rule: 'TRANSMISSION_RISK_LEVEL', broken: (key) => !within(key.transmissionRiskLevel ?? 1, 1, 8) },
  { rule: 'DAYS_SINCE_ONSET', broken: (key) => !within(key.daysSinceOnsetOfSymptoms ?? 0, -15, 4000) },
  {
    rule: 'LEVEL_OR_ONSET_MISSING',
    broken: (key) => key.transmissionRiskLevel === undefined && key.daysSinceOnsetOfSymptoms === undefined,
  },
];

const filterRules: readonly Rule<FilterRule>[] = [
  { rule: 'ROLLING_START_IN_FUTURE', broken: inFuture },
  { rule: 'ROLLING_START_NOT_POSITIVE', broken: (key) => rollingStart(key) <= 0 },
  {
    rule: 'KEY_TOO_OLD',
    broken: (key, now, settings) => rollingStart(key) < oldestRollingStart(now, settings.retentionDays),
  },
];

/** The order of the table in S 1.6: the filters stand between alignment and rolling period. */
const allRules: readonly Rule<KeyRule>[] = [...rejectRules.slice(0, 2), ...filterRules, ...rejectRules.slice(2)];

/** The first rule of S 1.6 that this key breaks by itself, filters included (decision 10); undefined for a good key. */
export function ruleBrokenBy(
  key: UploadedKey,
  nowSeconds: number,
  settings: KeyRuleSettings = DEFAULT_KEY_RULE_SETTINGS,
): KeyRule | undefined {
  return firstBroken(allRules, key, nowSeconds, settings);
}

/** The first rule for which this key has its whole upload refused; undefined when it lets the upload pass. */
export function rejectionOf(
  key: UploadedKey,
  nowSeconds: number,
  settings: KeyRuleSettings = DEFAULT_KEY_RULE_SETTINGS,
): RejectRule | undefined {
  return firstBroken(rejectRules, key, nowSeconds, settings);
}

/** The first rule for which this key is dropped from an upload that is otherwise taken. */
export function filterOf(
  key: UploadedKey,
  nowSeconds: number,
  settings: KeyRuleSettings = DEFAULT_KEY_RULE_SETTINGS,
): FilterRule | undefined {
  return firstBroken(filterRules, key, nowSeconds, settings);
}

/** First interval of the oldest UTC day whose keys are still kept: midnight of today − `retentionDays` (decision 24). */
function oldestRollingStart(nowSeconds: number, retentionDays: number): number {
  return (Math.floor(nowSeconds / DAY_SECONDS) - retentionDays) * INTERVALS_PER_DAY;
}

function firstBroken<R extends KeyRule>(
  rules: readonly Rule<R>[],
  key: UploadedKey,
  nowSeconds: number,
  settings: KeyRuleSettings,
): R | undefined {
  return rules.find(({ broken }) => broken(key, nowSeconds, settings))?.rule;
}

/** Absent is 0, as in the shipped message; it then falls under "not positive". */
function rollingStart(key: UploadedKey): number {
  return key.rollingStartIntervalNumber ?? 0;
}

function inFuture(key: UploadedKey, nowSeconds: number): boolean {
  // "≤": the first ten minutes of a fresh key count (S 7.1).
  return rollingStart(key) > Math.floor(nowSeconds / INTERVAL_SECONDS);
}

function within(value: number, min: number, max: number): boolean {
  return value >= min && value <= max;
}
