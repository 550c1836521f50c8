import { expect, test } from 'vitest';
import derivation from './fixtures/intake-derivation.json' with { type: 'json' };
import {
  completeRiskFields,
  daysSinceOnsetFromLevel,
  levelFromDaysSinceOnset,
  publishedFields,
  unpackRiskLevel,
} from './risk-level.ts';

test('S 1.6: every row of both derivation tables, and level 1 for every other day from -15 to 4000', () => {
  const levels: Record<string, number> = derivation.transmissionRiskLevelFromDaysSinceOnset;
  expect(Object.keys(levels)).toHaveLength(274);
  for (let days = -15; days <= 4000; days++) expect(levelFromDaysSinceOnset(days), `${days}`).toBe(levels[days] ?? 1);
  for (const [level, days] of Object.entries(derivation.daysSinceOnsetFromTransmissionRiskLevel)) {
    expect(daysSinceOnsetFromLevel(Number(level))).toBe(days);
  }
});

test('S row 21: only TRL 6 -> DSOS 3995; only DSOS 3 -> TRL 5; DSOS 1000 -> 3; DSOS 50 -> 1; both given are kept', () => {
  expect(completeRiskFields({ transmissionRiskLevel: 6 })?.daysSinceOnsetOfSymptoms).toBe(3995);
  expect(completeRiskFields({ daysSinceOnsetOfSymptoms: 3 })?.transmissionRiskLevel).toBe(5);
  expect(completeRiskFields({ daysSinceOnsetOfSymptoms: 1000 })?.transmissionRiskLevel).toBe(3);
  expect(completeRiskFields({ daysSinceOnsetOfSymptoms: 50 })?.transmissionRiskLevel).toBe(1);
  expect(completeRiskFields({ transmissionRiskLevel: 2, daysSinceOnsetOfSymptoms: 0 })).toEqual({
    transmissionRiskLevel: 2,
    daysSinceOnsetOfSymptoms: 0,
  });
  expect(completeRiskFields({})).toBeUndefined();
});

test('D 2.4, P S-8: TRL 1..8 -> report type 4 4 3 3 2 2 1 1 and DSOS 1 2 1 2 1 2 1 2', () => {
  const published = [1, 2, 3, 4, 5, 6, 7, 8].map(publishedFields);
  expect(published.map(({ reportType }) => reportType)).toEqual([4, 4, 3, 3, 2, 2, 1, 1]);
  expect(published.map(({ daysSinceOnsetOfSymptoms }) => daysSinceOnsetOfSymptoms)).toEqual([1, 2, 1, 2, 1, 2, 1, 2]);
});

test('packing round trip (S-8, R2-4): identity for TRL 1..8, DSOS read as infectiousness 1:1, 2:2', () => {
  for (let level = 1; level <= 8; level++) {
    const { reportType, daysSinceOnsetOfSymptoms } = publishedFields(level);
    expect(unpackRiskLevel(reportType, daysSinceOnsetOfSymptoms)).toBe(level);
  }
});

test('R2-4: infectiousness other than high counts as standard; report types 0 and 5 carry no level', () => {
  expect(unpackRiskLevel(1, 0)).toBe(7);
  expect(unpackRiskLevel(0, 1)).toBeUndefined();
  expect(unpackRiskLevel(5, 1)).toBeUndefined();
});

test.each([0, 9, 1.5, -1])('a level %d outside 1..8 is a programming error', (level) => {
  expect(() => publishedFields(level)).toThrow(RangeError);
  expect(() => daysSinceOnsetFromLevel(level)).toThrow(RangeError);
});
