import { levelForAge, type SymptomAnswer } from '../../phone/submission-vector.ts';

const OLDEST_AGE_DAYS = 14;
/** The app accepts an onset of up to four weeks ago. */
const OLDEST_ONSET_DAYS = 28;

/** Everything a person can answer, each giving one sequence of levels by age; public with the apps' source. */
const answers: readonly SymptomAnswer[] = [
  { kind: 'never-asked' },
  { kind: 'no-answer' },
  { kind: 'no-symptoms' },
  { kind: 'symptoms-no-date' },
  { kind: 'symptoms-last-seven-days' },
  { kind: 'symptoms-one-to-two-weeks' },
  { kind: 'symptoms-more-than-two-weeks' },
  ...Array.from(
    { length: OLDEST_ONSET_DAYS + 1 },
    (_, daysAgo): SymptomAnswer => ({ kind: 'symptoms-on-date', daysAgo }),
  ),
];

const followsByAge = Array.from({ length: OLDEST_AGE_DAYS }, (_, age) =>
  answers.map((answer) => pairOf(levelForAge(answer, age), levelForAge(answer, age + 1))),
).map((pairs) => new Set(pairs));

/**
 * Whether one person's key of age `ageDays` may have level `newer` when the key of the day before has level `older`,
 * by the tables that all apps upload from (P S-5, S-6).
 */
export function mayFollow(ageDays: number, newer: number, older: number): boolean {
  return followsByAge[ageDays]?.has(pairOf(newer, older)) ?? false;
}

function pairOf(newer: number, older: number): number {
  return newer * 16 + older;
}
