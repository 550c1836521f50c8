import { expect, test } from 'vitest';
import { seededRandom } from '../lib/random/random.ts';
import {
  decideDetection,
  detectionsPerDay,
  nextAttemptMs,
  nextDownloadDelaySeconds,
  retryDelayMs,
  timeouts,
} from './schedule.ts';

const HOUR = 1_600_000_000 - (1_600_000_000 % 3600);
const fixed = (value: number): { int: () => number } => ({ int: () => value });

test('schedule (D-1): on the hour the next hour is meant; one second before it, one second plus the random', () => {
  expect(nextDownloadDelaySeconds(HOUR, fixed(0))).toBe(3600);
  expect(nextDownloadDelaySeconds(HOUR + 3599, fixed(0))).toBe(1);
  expect(nextDownloadDelaySeconds(HOUR, fixed(3599))).toBe(7199);
  expect(nextDownloadDelaySeconds(HOUR + 100, fixed(5), 600)).toBe(505);
});

test('schedule (D-2): with 36,000 phones each minute of the next hour holds 600 +- 5 sigma', () => {
  const random = seededRandom('spread');
  const minutes = new Array<number>(60).fill(0);
  for (let phone = 0; phone < 36_000; phone++) {
    const now = HOUR + random.int(3600);
    const start = now + nextDownloadDelaySeconds(now, random);
    expect(Math.floor(start / 3600)).toBe(HOUR / 3600 + 1);
    const minute = Math.floor((start % 3600) / 60);
    minutes[minute] = (minutes[minute] as number) + 1;
  }
  const sigma = Math.sqrt(36_000 * (1 / 60) * (59 / 60));
  for (const count of minutes) expect(Math.abs(count - 600)).toBeLessThan(5 * sigma);
});

test('retry (D-7): growing, jittered, capped at 5 h; never later than the regular slot', () => {
  const minutes = (failures: number, u: number): number => retryDelayMs(failures, fixed(u)) / 60_000;
  expect([1, 2, 3, 4, 5, 6, 7, 20].map((n) => minutes(n, 500_000))).toEqual([8, 16, 32, 64, 128, 256, 300, 300]);
  expect(minutes(1, 0)).toBe(4);
  expect(minutes(1, 999_999)).toBeLessThan(12);
  expect(nextAttemptMs(1000, 500)).toBe(500);
  expect(nextAttemptMs(1000, 5000)).toBe(1000);
  expect(nextAttemptMs(1000, undefined)).toBe(1000);
});

test('quota (D-8, D-9): distances, forced run after 24 h, clock error blocks, 0 switches off', () => {
  const base = {
    nowSeconds: HOUR,
    perDay: 6,
    clockOffsetSeconds: 0,
    lastStartedSeconds: undefined,
    lastSucceededSeconds: undefined,
    hasNewFiles: true,
  };
  const decide = (extra: Partial<Parameters<typeof decideDetection>[0]>): string =>
    decideDetection({ ...base, ...extra });
  expect(decide({})).toBe('RUN');
  expect(decide({ lastStartedSeconds: HOUR - 4 * 3600 + 1 })).toBe('TOO_SOON');
  expect(decide({ lastStartedSeconds: HOUR - 4 * 3600 })).toBe('RUN');
  expect(decide({ perDay: 5, lastStartedSeconds: HOUR - 4 * 3600 })).toBe('RUN');
  expect(decide({ lastStartedSeconds: HOUR + 3600 })).toBe('TOO_SOON');
  expect(decide({ lastStartedSeconds: HOUR + 3601 })).toBe('RUN');
  expect(
    decide({ hasNewFiles: false, lastSucceededSeconds: HOUR - 24 * 3600 + 1, lastStartedSeconds: HOUR - 24 * 3600 }),
  ).toBe('NOTHING_NEW');
  expect(
    decide({ hasNewFiles: false, lastSucceededSeconds: HOUR - 24 * 3600, lastStartedSeconds: HOUR - 24 * 3600 }),
  ).toBe('RUN');
  expect(decide({ clockOffsetSeconds: 7200 })).toBe('CLOCK');
  expect(decide({ clockOffsetSeconds: -7199 })).toBe('RUN');
  expect(decide({ perDay: 0 })).toBe('SWITCHED_OFF');
  expect([undefined, -1, 0, 3, 6, 7, 1.5].map(detectionsPerDay)).toEqual([6, 6, 0, 3, 6, 6, 6]);
});

test('D-10: limits within range hold, else the defaults', () => {
  expect(timeouts({ download: 1800, session: 1, detection: 3600 })).toEqual({
    downloadSeconds: 1800,
    sessionSeconds: 1,
    detectionSeconds: 3600,
  });
  expect(timeouts({ download: 1801, session: 0, detection: 3601 })).toEqual({
    downloadSeconds: 60,
    sessionSeconds: 480,
    detectionSeconds: 900,
  });
});
