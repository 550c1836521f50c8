import { utcDay, utcDayOfInterval } from '../lib/exposure/intervals.ts';
import type { OwnKey } from './key-store.ts';

/** What the owner said about symptoms (P S-5). Days are counted in the owner's local calendar (S-7). */
export type SymptomAnswer =
  | { kind: 'symptoms-on-date'; daysAgo: number }
  | { kind: 'symptoms-last-seven-days' }
  | { kind: 'symptoms-one-to-two-weeks' }
  | { kind: 'symptoms-more-than-two-weeks' }
  | { kind: 'symptoms-no-date' }
  | { kind: 'no-symptoms' }
  | { kind: 'no-answer' }
  | { kind: 'never-asked' };

/** A key as it is uploaded (P S-3). Phones leave the report type to the server; a replay sends what a file holds. */
export interface UploadKey {
  keyData: Uint8Array;
  rollingStartIntervalNumber?: number;
  rollingPeriod?: number;
  transmissionRiskLevel?: number;
  reportType?: number;
  daysSinceOnsetOfSymptoms?: number;
}

interface Vector {
  /** Absent for version 1.0, which sent no days since onset. */
  base?: number;
  levels: readonly number[];
}

const VECTORS: Readonly<Record<Exclude<SymptomAnswer['kind'], 'symptoms-on-date'>, Vector>> = {
  'symptoms-last-seven-days': { base: 701, levels: [4, 5, 6, 7, 7, 7, 6, 5, 4, 3, 2, 1, 1, 1, 1] },
  'symptoms-one-to-two-weeks': { base: 708, levels: [1, 1, 1, 1, 2, 3, 4, 5, 6, 6, 7, 7, 6, 6, 4] },
  'symptoms-more-than-two-weeks': { base: 715, levels: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 4, 5] },
  'symptoms-no-date': { base: 2000, levels: [5, 6, 8, 8, 8, 7, 5, 3, 2, 1, 1, 1, 1, 1, 1] },
  'no-symptoms': { base: 3000, levels: [4, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] },
  'no-answer': { base: 4000, levels: [5, 6, 7, 7, 7, 6, 4, 3, 2, 1, 1, 1, 1, 1, 1] },
  'never-asked': { levels: [5, 6, 8, 8, 8, 5, 3, 1, 1, 1, 1, 1, 1, 1, 1] },
};

/** P S-6: level by days since onset; every other day is 1. */
const LEVEL_BY_DAYS_SINCE_ONSET: ReadonlyMap<number, number> = new Map([
  [-5, 2],
  [-4, 4],
  [-3, 6],
  [-2, 7],
  [-1, 8],
  [0, 8],
  [1, 8],
  [2, 6],
  [3, 5],
  [4, 3],
  [5, 2],
  [6, 2],
]);

const OLDEST_AGE_DAYS = 14;

/** Transmission risk level of a key of `ageDays`, by age and never by position in a list (P S-4 to S-6). */
export function levelForAge(answer: SymptomAnswer, ageDays: number): number {
  if (answer.kind === 'symptoms-on-date') return LEVEL_BY_DAYS_SINCE_ONSET.get(answer.daysAgo - ageDays) ?? 1;
  return VECTORS[answer.kind].levels[ageDays] ?? 1;
}

/** Days since onset of a key of `ageDays`; undefined for the first version, which sent none (P S-5). */
export function daysSinceOnsetForAge(answer: SymptomAnswer, ageDays: number): number | undefined {
  const base = answer.kind === 'symptoms-on-date' ? answer.daysAgo : VECTORS[answer.kind].base;
  return base === undefined ? undefined : base - ageDays;
}

/** Whole days from an onset date to today, both in the owner's calendar, as `YYYY-MM-DD` (P S-7). */
export function onsetAgeDays(onsetDate: string, todayDate: string): number {
  return Math.round((Date.parse(`${todayDate}T00:00:00Z`) - Date.parse(`${onsetDate}T00:00:00Z`)) / 86_400_000);
}

/** Own keys aged 0 to 14 days, newest first, at most `limit`, with both risk fields (P S-1, S-3). */
export function keysForUpload(
  keys: readonly OwnKey[],
  answer: SymptomAnswer,
  nowSeconds: number,
  limit: number = 14,
): UploadKey[] {
  const today = utcDay(nowSeconds);
  return keys
    .map((key) => ({ key, age: today - utcDayOfInterval(key.rollingStartIntervalNumber) }))
    .filter(({ age }) => age >= 0 && age <= OLDEST_AGE_DAYS)
    .sort((a, b) => a.age - b.age)
    .slice(0, limit)
    .map(({ key, age }) => {
      const days = daysSinceOnsetForAge(answer, age);
      return {
        ...key,
        transmissionRiskLevel: levelForAge(answer, age),
        ...(days === undefined ? {} : { daysSinceOnsetOfSymptoms: days }),
      };
    });
}
