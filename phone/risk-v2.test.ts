import { expect, test } from 'vitest';
import { BUILT_IN_CONFIGURATION } from './configuration.ts';
import { calculateRiskV2, inRange, noRiskReason, type RiskV2Parameters } from './risk-v2.ts';
import type { ExposureWindow } from './windows.ts';

const TODAY = 18_600;
const { risk: parameters } = BUILT_IN_CONFIGURATION;

function aWindow(
  secondsSinceLastScan: number,
  minAttenuationDb = 65,
  fields: Partial<ExposureWindow> & { age?: number } = {},
): ExposureWindow {
  const { age = 1, ...rest } = fields;
  return {
    dateMillisSinceEpoch: (TODAY - age) * 86_400_000,
    reportType: 2,
    infectiousness: 1,
    calibrationConfidence: 0,
    scanInstances: [{ minAttenuationDb, typicalAttenuationDb: minAttenuationDb, secondsSinceLastScan }],
    ...rest,
  };
}

test.each([
  [296, undefined, 0, 0, 1],
  [297, 5, 1, 0, 1],
  [536, 8.9, 1, 0, 1],
  [537, 9, 1, 0, 2],
  [540, 9, 0, 1, 2],
])('v2 rounding (R2-8): %d s', (seconds, day, low, high, total) => {
  const result = calculateRiskV2([aWindow(seconds)], parameters, TODAY);
  expect(result.days[0]?.normalizedMinutes).toBe(day);
  expect(result.totalMinimumDistinctEncountersWithLowRisk).toBe(low);
  expect(result.totalMinimumDistinctEncountersWithHighRisk).toBe(high);
  expect(result.totalRiskLevel).toBe(total);
});

test('windows of 3.3, 5.1 and 7.8 minutes on one day are LOW each and HIGH together (16.2)', () => {
  const result = calculateRiskV2(
    [198, 306, 468].map((s) => aWindow(s)),
    parameters,
    TODAY,
  );
  expect(result.days).toEqual([
    { day: TODAY - 1, riskLevel: 2, normalizedMinutes: 16.2, lowEncounters: 1, highEncounters: 0 },
  ]);
});

test.each([
  [62, 8],
  [63, 10],
  [72, 10],
  [73, 1],
  [78, 1],
  [79, 0],
])('attenuation border %d dB with 600 s -> %d', (db, minutes) => {
  const anyDay = {
    ...parameters,
    normalizedTimePerDayToRiskLevelMapping: [{ normalizedTimeRange: { min: 0, max: 99 }, riskLevel: 1 }],
  };
  expect(calculateRiskV2([aWindow(600, db)], anyDay, TODAY).days[0]?.normalizedMinutes).toBe(minutes);
});

test('R2-1: absent flags are false, an absent range is 0..0 inclusive', () => {
  expect(inRange(0, undefined)).toBe(true);
  expect(inRange(0.1, {})).toBe(false);
  expect(inRange(5, { min: 5, max: 9 })).toBe(true);
  expect(inRange(5, { min: 5, max: 9, minExclusive: true })).toBe(false);
  expect(inRange(9, { min: 5, max: 9, maxExclusive: true })).toBe(false);
});

test('R2-2: encounters up to maxEncounterAgeInDays count, 0 or absent means 14', () => {
  const total = (age: number, max: number): number =>
    calculateRiskV2([aWindow(600, 65, { age })], { ...parameters, maxEncounterAgeInDays: max }, TODAY).totalRiskLevel;
  expect([total(10, 10), total(11, 10), total(14, 0), total(15, 0)]).toEqual([2, 1, 2, 1]);
});

test('v2 filters (R2-3, R2-5): minutes within an attenuation range, and TRL', () => {
  const attenuationFilter = {
    minutesAtAttenuationFilters: [
      {
        attenuationRange: { min: 0, max: 79, maxExclusive: true },
        dropIfMinutesInRange: { min: 0, max: 10, maxExclusive: true },
      },
    ],
  };
  const run = (extra: RiskV2Parameters, seconds: number): number =>
    calculateRiskV2([aWindow(seconds)], { ...parameters, ...extra }, TODAY).days.length;
  expect(run(attenuationFilter, 599)).toBe(0);
  expect(run(attenuationFilter, 600)).toBe(1);
  expect(run({ trlFilters: [{ dropIfTrlInRange: { min: 5, max: 5 } }] }, 600)).toBe(0);
});

test('R2-9, R2-10: identical windows are not merged, but count as one encounter; another confidence is another encounter', () => {
  const result = calculateRiskV2(
    [aWindow(297), aWindow(297), aWindow(297, 65, { calibrationConfidence: 1 })],
    parameters,
    TODAY,
  );
  expect(result.days[0]).toMatchObject({ normalizedMinutes: 14.9, lowEncounters: 2, riskLevel: 2 });
});

test('R2-11: most recent days, numbers of days; no window at all is LOW', () => {
  const result = calculateRiskV2(
    [aWindow(300, 65, { age: 2 }), aWindow(300, 65, { age: 5 }), aWindow(900, 65, { age: 3 })],
    parameters,
    TODAY,
  );
  expect(result).toMatchObject({
    totalRiskLevel: 2,
    mostRecentDayWithLowRisk: TODAY - 2,
    mostRecentDayWithHighRisk: TODAY - 3,
    numberOfDaysWithLowRisk: 2,
    numberOfDaysWithHighRisk: 1,
  });
  expect(calculateRiskV2([], parameters, TODAY)).toMatchObject({
    totalRiskLevel: 1,
    mostRecentDayWithLowRisk: null,
    mostRecentDayWithHighRisk: null,
    days: [],
  });
});

test('R2-4, R2-6: an unknown report type and a configuration without risk values are errors', () => {
  expect(() => calculateRiskV2([aWindow(600, 65, { reportType: 5 })], parameters, TODAY)).toThrow(
    expect.objectContaining({ reason: 'REPORT_TYPE' }),
  );
  expect(() => calculateRiskV2([], { ...parameters, transmissionRiskValueMapping: [] }, TODAY)).toThrow(
    expect.objectContaining({ reason: 'CONFIGURATION_OUTDATED' }),
  );
});

test('R2-12: clock error, tracing off, nothing detected yet, newest package older than 48 h', () => {
  const good = {
    nowSeconds: 1_000_000,
    clockOffsetSeconds: 7199,
    tracingOn: true,
    newestPackageSeconds: 1_000_000 - 48 * 3600,
    everDetected: true,
  };
  expect(noRiskReason(good)).toBeUndefined();
  expect(noRiskReason({ ...good, clockOffsetSeconds: -7200 })).toBe('CLOCK');
  expect(noRiskReason({ ...good, tracingOn: false })).toBe('TRACING_OFF');
  expect(noRiskReason({ ...good, everDetected: false })).toBe('NEVER_DETECTED');
  expect(noRiskReason({ ...good, newestPackageSeconds: 1_000_000 - 48 * 3600 - 1 })).toBe('PACKAGES_OUTDATED');
  expect(noRiskReason({ ...good, newestPackageSeconds: undefined })).toBe('PACKAGES_OUTDATED');
});
