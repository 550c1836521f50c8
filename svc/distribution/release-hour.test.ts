import fc from 'fast-check';
import { expect, test } from 'vitest';
import { releaseHour } from './release-hour.ts';

const vectors = [
  [
    '5/144',
    5,
    144,
    [
      [0, 26],
      [24, 26],
      [26, 26],
      [27, 27],
      [28, 28],
    ],
  ],
  [
    '6/144',
    6,
    144,
    [
      [0, 26],
      [24, 26],
      [26, 26],
      [27, 27],
      [28, 28],
    ],
  ],
  ['144/54', 144, 54, [[32, 34]]],
  ['144/84', 144, 84, [[32, 39]]],
  ['144/89', 144, 89, [[32, 40]]],
] as const;

test.each(vectors)(
  'D row 11: expiry vectors, key %s (table 2.5 as decision 23 replaces it)',
  (_, start, period, hours) => {
    for (const [submissionHour, expected] of hours) {
      expect(releaseHour({ rollingStartIntervalNumber: start, rollingPeriod: period }, submissionHour, 120)).toBe(
        expected,
      );
    }
  },
);

test('D row 12: never too early, whatever the key: publish instant >= end + 120 min, and not an hour later than needed', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5_000_000 }),
      fc.integer({ min: 1, max: 144 }),
      fc.integer({ min: 0, max: 900_000 }),
      (start, period, submissionHour) => {
        const hour = releaseHour({ rollingStartIntervalNumber: start, rollingPeriod: period }, submissionHour, 120);
        const safeAt = (start + period) * 600 + 7200;
        expect((hour + 1) * 3600).toBeGreaterThanOrEqual(safeAt);
        if (hour > submissionHour) expect(hour * 3600).toBeLessThan(safeAt);
      },
    ),
  );
});
