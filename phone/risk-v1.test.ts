import { expect, test } from 'vitest';
import { decodeConfigV1, encodeConfigV1 } from '../lib/exposure/app-config.ts';
import { riskV1Config } from './configuration-v1.ts';
import type { Exposure } from './exposures-v1.ts';
import { v1Values } from './fixtures/config-v1-values.ts';
import {
  attenuationIndex,
  combinedRiskScore,
  daysIndex,
  durationIndex,
  RiskCalculationError,
  type RiskV1State,
  riskClass,
  riskStateV1,
  summarise,
  totalRiskScore,
} from './risk-v1.ts';

const config = riskV1Config(decodeConfigV1(encodeConfigV1(v1Values)));
const NOW = 1_600_000_000;
const DAY = 86_400;

test('v1 tables: every border of the duration table; D = 15.3 -> configured score 1 (R1-5)', () => {
  const table = [
    [0, 0],
    [0.1, 1],
    [5, 1],
    [5.1, 2],
    [10, 2],
    [10.1, 3],
    [15, 3],
    [15.3, 4],
    [20, 4],
    [20.1, 5],
    [25, 5],
    [25.1, 6],
    [30, 6],
    [30.1, 7],
    [300, 7],
  ] as const;
  for (const [minutes, index] of table) expect(durationIndex(minutes), `${minutes}`).toBe(index);
  const score = (minutes: number): number | undefined => config.scores.duration[durationIndex(minutes)];
  expect([15.3, 10, 10.1, 5, 30.1].map(score)).toEqual([1, 0, 1, 0, 1]);
});

test('v1 tables: every border of the days table', () => {
  const table = [
    [20, 0],
    [14, 0],
    [13, 1],
    [12, 1],
    [11, 2],
    [10, 2],
    [9, 3],
    [8, 3],
    [7, 4],
    [6, 4],
    [5, 5],
    [4, 5],
    [3, 6],
    [2, 6],
    [1, 7],
    [0, 7],
    [-1, 7],
  ] as const;
  for (const [days, index] of table) expect(daysIndex(days), `${days}`).toBe(index);
});

test('v1 tables: every border of the attenuation table; 27 dB, not 23, between 4 and 5', () => {
  const table = [
    [74, 0],
    [73, 1],
    [64, 1],
    [63, 2],
    [52, 2],
    [51, 3],
    [34, 3],
    [33, 4],
    [28, 4],
    [27, 5],
    [16, 5],
    [15, 6],
    [11, 6],
    [10, 7],
    [0, 7],
  ] as const;
  for (const [db, index] of table) expect(attenuationIndex(db), `${db}`).toBe(index);
});

function anExposure(fields: Partial<Exposure> = {}): Exposure {
  const start = NOW - 3 * DAY - 100;
  return {
    dayEpochSeconds: start,
    keyStartEpochSeconds: start,
    transmissionRiskLevel: 8,
    durationMinutes: 15.3,
    attenuationValue: 45,
    bucketSeconds: [0, 0, 0],
    ...fields,
  };
}

test('v1 combined: level 8, 3 days ago, A = 45, D = 15.3: 8 * 5 * 2 * 1 = 80; absent level counts 1 (R1-3)', () => {
  expect(totalRiskScore(anExposure(), config.scores, NOW)).toBe(80);
  expect(totalRiskScore(anExposure({ transmissionRiskLevel: undefined }), config.scores, NOW)).toBe(10);
  expect(totalRiskScore(anExposure({ transmissionRiskLevel: 1 }), config.scores, NOW)).toBe(0);
});

test.each([
  [0, [0, 0, 0], { low: 1, mid: 0.5, high: 0.5 }, 25, 0],
  [256, [15, 15, 15], { low: 1, mid: 0.5, high: 0.5 }, 25, 307.2],
  [4096, [30, 30, 30], { low: 1, mid: 0.5, high: 0.5 }, 25, 9830.4],
  [4096, [99, 99, 99], { low: 1, mid: 0.5, high: 0.5 }, 25, 9830.4],
  [80, [15, 5, 0], { low: 1, mid: 0.5, high: 0 }, 50, 28],
  [30, [10, 10, 10], { low: 1, mid: 0.5, high: 0 }, 50, 9],
  [50, [15, 0, 0], { low: 1, mid: 0.5, high: 0 }, 50, 15],
  [40, [20, 0, 0], { low: 1, mid: 0.5, high: 0 }, 25, 32],
  [1, [5, 0, 0], { low: 1, mid: 0, high: 0 }, 40, 0.12],
  [3, [5, 0, 0], { low: 1, mid: 0, high: 0 }, 40, 0.38],
] as const)(
  'v1 combined (R1-7 to R1-9): maximum %d, times %j -> %s',
  (maximum, minutes, weights, divisor, expected) => {
    const score = combinedRiskScore(maximum, [...minutes], {
      weights,
      defaultBucketOffset: 0,
      riskScoreNormalizationDivisor: divisor,
    });
    expect(score).toBe(expected);
  },
);

test('v1 combined: published walk-through, divisor 25; an exposure below the minimum score adds nothing (R1-4)', () => {
  const scores = {
    ...config.scores,
    transmission: [1, 1, 1, 1, 1, 1, 1, 1],
    attenuation: Array<number>(8).fill(1),
    daysSinceExposure: Array<number>(8).fill(1),
  };
  const withScore = (score: number, bucketSeconds: Exposure['bucketSeconds']): Exposure =>
    anExposure({ durationMinutes: score, bucketSeconds });
  const walk = { ...config, scores: { ...scores, duration: [0, 5, 25, 40, 0, 0, 0, 0] } };
  const all = [withScore(15, [1200, 0, 0]), withScore(10, [0, 1200, 0]), withScore(5, [0, 1200, 0])];
  const summary = summarise(all, walk, NOW);
  expect(summary).toEqual({
    matchedKeyCount: 3,
    daysSinceLastExposure: 3,
    maximumRiskScore: 40,
    riskScoreSum: 65,
    bucketMinutes: [20, 20, 0],
  });
  expect(combinedRiskScore(40, summary.bucketMinutes, { ...config, riskScoreNormalizationDivisor: 25 })).toBe(48);
});

test('summary bucket times are whole minutes, capped at 30; nothing matched is an empty summary', () => {
  expect(summarise([anExposure({ bucketSeconds: [59, 1979, 6000] })], config, NOW).bucketMinutes).toEqual([0, 30, 30]);
  expect(summarise([], config, NOW)).toEqual({
    matchedKeyCount: 0,
    daysSinceLastExposure: undefined,
    maximumRiskScore: 0,
    riskScoreSum: 0,
    bucketMinutes: [0, 0, 0],
  });
});

test('risk class (R1-10): 15 is already HIGH, both ends of HIGH belong; above it, in no class or without HIGH is an error', () => {
  expect([0, 14.99, 15, 9999].map((score) => riskClass(score, config.classes))).toEqual(['LOW', 'LOW', 'HIGH', 'HIGH']);
  expect(() => riskClass(9999.01, config.classes)).toThrow(expect.objectContaining({ reason: 'SCORE_ABOVE_HIGH' }));
  expect(() => riskClass(-1, config.classes)).toThrow(expect.objectContaining({ reason: 'SCORE_IN_NO_CLASS' }));
  expect(() => riskClass(1, config.classes.slice(0, 1))).toThrow(expect.objectContaining({ reason: 'NO_HIGH_CLASS' }));
});

test('v1 states (R1-11): order respected', () => {
  const state = (
    tracingActiveHours: number | undefined,
    hoursSinceLastFetch: number | undefined,
    score: number,
  ): RiskV1State =>
    riskStateV1({
      tracingActiveHours,
      hoursSinceLastFetch,
      score: () => score,
      classes: config.classes,
      previous: 'LOW',
    });
  expect(state(undefined, 1, 20)).toBe('NO_CALCULATION');
  expect(state(30, undefined, 20)).toBe('UNKNOWN_INITIAL');
  expect(state(24, 48.1, 20)).toBe('UNKNOWN_OUTDATED');
  expect(state(24, 48, 20)).toBe('INCREASED');
  expect(state(23, 49, 20)).toBe('INCREASED');
  expect(state(23, 1, 1)).toBe('UNKNOWN_INITIAL');
  expect(state(24, 1, 1)).toBe('LOW');
  expect(state(24, 1, 10_000)).toBe('LOW');
  const fails = (): never => {
    throw new RiskCalculationError('NO_HIGH_CLASS');
  };
  expect(
    riskStateV1({ tracingActiveHours: 24, hoursSinceLastFetch: 1, score: fails, classes: [], previous: 'INCREASED' }),
  ).toBe('INCREASED');
});
