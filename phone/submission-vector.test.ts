import { expect, test } from 'vitest';
import type { OwnKey } from './key-store.ts';
import {
  daysSinceOnsetForAge,
  keysForUpload,
  levelForAge,
  onsetAgeDays,
  type SymptomAnswer,
} from './submission-vector.ts';

const ages = Array.from({ length: 15 }, (_, age) => age);
const digits = (answer: SymptomAnswer): string => ages.map((age) => levelForAge(answer, age)).join('');

test.each([
  ['symptoms-last-seven-days', 701, '456777654321111'],
  ['symptoms-one-to-two-weeks', 708, '111123456677664'],
  ['symptoms-more-than-two-weeks', 715, '111111111112345'],
  ['symptoms-no-date', 2000, '568887532111111'],
  ['no-symptoms', 3000, '443211111111111'],
  ['no-answer', 4000, '567776432111111'],
  ['never-asked', undefined, '568885311111111'],
] as const)('vectors and DSOS (S-5): %s', (kind, base, levels) => {
  expect(digits({ kind })).toBe(levels);
  for (const age of ages) expect(daysSinceOnsetForAge({ kind }, age)).toBe(base === undefined ? undefined : base - age);
  expect(levelForAge({ kind }, 15)).toBe(1);
});

test('vectors and DSOS (S-6): exact onset dates; onset 20 days ago and older', () => {
  expect(digits({ kind: 'symptoms-on-date', daysAgo: 0 })).toBe('887642111111111');
  expect(digits({ kind: 'symptoms-on-date', daysAgo: 2 })).toBe('688876421111111');
  expect(digits({ kind: 'symptoms-on-date', daysAgo: 6 })).toBe('223568887642111');
  expect(digits({ kind: 'symptoms-on-date', daysAgo: 20 })).toBe('111111111111112');
  expect(digits({ kind: 'symptoms-on-date', daysAgo: 21 })).toBe('1'.repeat(15));
  expect(daysSinceOnsetForAge({ kind: 'symptoms-on-date', daysAgo: 2 }, 5)).toBe(-3);
});

const DAY = 18_000;
const NOW = DAY * 86_400 + 5000;
const aKey = (age: number, period = 144): OwnKey => ({
  keyData: Buffer.alloc(16, age),
  rollingStartIntervalNumber: (DAY - age) * 144,
  rollingPeriod: period,
});

test('gap and double-key days (S-4): values by age, never by position', () => {
  const keys = keysForUpload([aKey(1), aKey(4), aKey(4, 50), aKey(9)], { kind: 'symptoms-last-seven-days' }, NOW);
  expect(keys.map((key) => [key.transmissionRiskLevel, key.daysSinceOnsetOfSymptoms])).toEqual([
    [5, 700],
    [7, 697],
    [7, 697],
    [3, 692],
  ]);
});

test('S-1: ages 0 to 14, newest first, the 14 newest by default', () => {
  const all = Array.from({ length: 18 }, (_, i) => aKey(16 - i));
  const sent = keysForUpload(all, { kind: 'no-answer' }, NOW);
  expect(sent.map((key) => DAY - (key.rollingStartIntervalNumber as number) / 144)).toEqual([
    0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  ]);
  expect(keysForUpload(all, { kind: 'no-answer' }, NOW, 30)).toHaveLength(15);
});

test('S-7: the onset date is counted in the calendar of the owner', () => {
  expect(onsetAgeDays('2020-10-20', '2020-10-27')).toBe(7);
  expect(onsetAgeDays('2020-10-27', '2020-10-27')).toBe(0);
});
