import { INTERVALS_PER_DAY, utcDay, utcDayOfInterval } from '../../lib/exposure/intervals.ts';
import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import { levelFromDaysSinceOnset } from '../../lib/exposure/risk-level.ts';
import { intakeRule, type ReplayRule, type SentLoad } from './replay-plan.ts';

export interface ReplayResult {
  readonly in: number;
  readonly out: number;
  readonly padding: number;
  readonly excluded: Partial<Record<ReplayRule, number>>;
}

/** Lowest transmission risk level that is published (D 2.2). */
const lowestPublishedLevel = 3;
const publicationDays = 14;

/**
 * Accounts for every key of the file: it came out unchanged, or counts under exactly one rule. Compared are key bytes,
 * rolling start, rolling period (absent is 144) and transmission risk level (decision 9).
 */
export function compare(
  keys: readonly DecodedKey[],
  loads: readonly SentLoad[],
  published: readonly DecodedKey[],
  endSeconds: number,
): ReplayResult {
  const byData = new Map(published.map((key) => [hex(key), key]));
  const excluded: Partial<Record<ReplayRule, number>> = {};
  const seen = new Set<string>();
  let out = 0;
  for (const load of loads) {
    for (const position of load.positions) {
      const key = keys[position] ?? {};
      const rule = intakeRule(key, load) ?? publicationRule(key, byData.get(hex(key)), seen, endSeconds);
      if (rule === undefined) out++;
      else excluded[rule] = (excluded[rule] ?? 0) + 1;
    }
  }
  const ours = new Set(keys.map(hex));
  return { in: keys.length, out, padding: published.filter((key) => !ours.has(hex(key))).length, excluded };
}

function publicationRule(
  key: DecodedKey,
  found: DecodedKey | undefined,
  seen: Set<string>,
  endSeconds: number,
): ReplayRule | undefined {
  if (seen.has(hex(key))) return 'DUPLICATE_OF_AN_EARLIER_KEY';
  seen.add(hex(key));
  if (found !== undefined) return isSame(key, found) ? undefined : 'CAME_OUT_CHANGED';
  if (levelOf(key) < lowestPublishedLevel) return 'RISK_LEVEL_NOT_PUBLISHED';
  const lastDay = utcDayOfInterval(key.rollingStartIntervalNumber ?? 0) + publicationDays;
  return lastDay < utcDay(endSeconds) ? 'EXPIRED_WHILE_WAITING' : 'UNEXPLAINED';
}

function isSame(sent: DecodedKey, found: DecodedKey): boolean {
  return (
    sent.rollingStartIntervalNumber === found.rollingStartIntervalNumber &&
    (sent.rollingPeriod ?? INTERVALS_PER_DAY) === (found.rollingPeriod ?? INTERVALS_PER_DAY) &&
    levelOf(sent) === found.transmissionRiskLevel
  );
}

/** A key without level gets the one that its days since onset stand for (S 1.6). */
function levelOf(key: DecodedKey): number {
  return key.transmissionRiskLevel ?? levelFromDaysSinceOnset(key.daysSinceOnsetOfSymptoms ?? 0);
}

const hex = (key: DecodedKey): string => key.keyData?.toString('hex') ?? '';
