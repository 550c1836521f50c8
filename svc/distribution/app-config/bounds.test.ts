import { expect, test } from 'vitest';
import { buildConfiguration, faultsOf } from './build.ts';
import { changedConfiguration, type ConfigurationSource, defaultConfiguration, placeholderDigest } from './source.ts';

const source = defaultConfiguration(placeholderDigest);
const countries = { supportedCountries: ['DE'] };

/** `from` with the value at `path` replaced. */
function withValue(from: ConfigurationSource, path: string, value: unknown): ConfigurationSource {
  const changed = structuredClone(from);
  const names = path.match(/[^.[\]]+/g) ?? [];
  let at = changed as unknown as Record<string, unknown>;
  for (const name of names.slice(0, -1)) at = at[name] as Record<string, unknown>;
  at[names.at(-1) ?? ''] = value;
  return changed;
}

const faults = (path: string, value: unknown) =>
  faultsOf(withValue(source, path, value), countries).filter(({ field }) => field === path);
/** Whether the value itself is the fault, and not that it is beyond another one. */
const refused = (path: string, value: unknown) =>
  faults(path, value).some(({ rule }) => rule === 'VALUE_OUT_OF_BOUNDS' || rule === 'INVALID_VALUES');

const largest = 2 ** 31 - 1;
const legacy = 'legacy.exposureConfig';
const dgc = 'dgc.testCertificateParameters';
const presence = 'presenceTracing';

/** Whole numbers, then others; bounds of D 3.2, 3.5 and 3.6, or of the type where there are none. */
const whole: [string, number, number][] = [
  ['legacy.minRiskScore', 0, 9999],
  [`${legacy}.transmission.appDefined1`, 0, 8],
  [`${legacy}.duration.gt30Min`, 0, 8],
  [`${legacy}.daysSinceLastExposure.ge14Days`, 0, 8],
  [`${legacy}.attenuation.le10Dbm`, 0, 8],
  ['legacy.attenuationDuration.thresholds.lower', 0, 100],
  ['legacy.attenuationDuration.thresholds.upper', 0, 100],
  ['legacy.attenuationDuration.defaultBucketOffset', 0, 1],
  ['legacy.attenuationDuration.riskScoreNormalizationDivisor', 1, 1000],
  ['legacy.riskScoreClasses[0].min', 0, 9999],
  ['legacy.riskScoreClasses[1].max', 0, 9999],
  ['exposureDetection.ios.maxExposureDetectionsPerInterval', 0, 6],
  ['exposureDetection.android.maxExposureDetectionsPerInterval', 0, 6],
  ['exposureDetection.android.overallTimeoutInSeconds', 0, 3600],
  ['keyDownload.android.downloadTimeoutInSeconds', 0, 1800],
  ['keyDownload.android.overallTimeoutInSeconds', 0, 1800],
  ['analytics.hoursSinceTestRegistrationToSubmitTestResultMetadata', 0, largest],
  ['analytics.hoursSinceTestResultToSubmitKeySubmissionMetadata', 0, largest],
  ['selfReport.timeSinceOnboardingInHours', 1, 1000],
  ['selfReport.timeBetweenSubmissionsInDays', 1, 1000],
  [`${dgc}.waitAfterPublicKeyRegistrationInSeconds`, 0, 60],
  [`${dgc}.waitForRetryInSeconds`, 0, 60],
  ['dgc.expirationThresholdInDays', 0, 100],
  ['android.diagnosisKeysDataMapping.infectiousnessWhenDaysSinceOnsetMissing', 0, 2],
  ['android.diagnosisKeysDataMapping.reportTypeWhenMissing', 1, 5],
  ['android.diagnosisKeysDataMapping.daysSinceOnsetToInfectiousness.3', 0, 2],
  ['ios.exposureConfiguration.infectiousnessForDaysSinceOnsetOfSymptoms.3', 0, 2],
  ['appVersions.androidVersionCode.min', 0, Number.MAX_SAFE_INTEGER],
  ['appVersions.androidVersionCode.latest', 0, Number.MAX_SAFE_INTEGER],
  ['riskCalculation.v1.maxEncounterAgeInDays', 1, 14],
  ['riskCalculation.v2.maxEncounterAgeInDays', 1, 14],
  ['riskCalculation.v2.normalizedTimePerEWToRiskLevelMapping[0].riskLevel', 1, 2],
  ['riskCalculation.v2.normalizedTimePerDayToRiskLevelMapping[0].riskLevel', 1, 2],
  ['appFeatures[0].value', -largest - 1, largest],
  ['android.dailySummariesConfig.attenuationBucketThresholdDb[0]', 0, largest],
  ['android.dailySummariesConfig.daysSinceExposureThreshold', 0, largest],
  ['ios.exposureConfiguration.reportTypeNoneMap', 0, largest],
  ['ios.exposureConfiguration.daysSinceLastExposureThreshold', 0, largest],
  ['ios.exposureConfiguration.attenuationDurationThresholds[0]', 0, largest],
  ['coronaTest.coronaPCRTestParameters.hoursSinceTestRegistrationToShowRiskCard', 0, largest],
  [`${presence}.qrCodeErrorCorrectionLevel`, 0, 3],
  [`${presence}.riskCalculationParameters.maxCheckInAgeInDays`, 0, largest],
  [`${presence}.riskCalculationParameters.normalizedTimePerCheckInToRiskLevelMapping[0].riskLevel`, 1, 2],
  [`${presence}.riskCalculationParameters.normalizedTimePerDayToRiskLevelMapping[0].riskLevel`, 1, 2],
  [`${presence}.plausibleDeniabilityParameters.checkInSizesInBytes[0]`, 0, largest],
  [`${presence}.qrCodeDescriptors[0].versionGroupIndex`, 0, largest],
  [`${presence}.qrCodeDescriptors[1].payloadEncoding`, 0, 1],
];

test.each(whole)('D 3.2, 3.5, 3.6: %s is a whole number from %d to %d', (path, least, greatest) => {
  for (const value of [least, greatest]) expect(refused(path, value)).toBe(false);
  for (const value of [least - 1, greatest + 1]) {
    expect(faults(path, value)).toContainEqual({ field: path, value, rule: 'VALUE_OUT_OF_BOUNDS' });
  }
  const value = least + 0.5;
  expect(faults(path, value)).toContainEqual({ field: path, value, rule: 'INVALID_VALUES' });
});

const decimals: [string, number, number, number | undefined][] = [
  [`${legacy}.transmissionWeight`, 0.001, 100, 3],
  [`${legacy}.durationWeight`, 0.001, 100, 3],
  [`${legacy}.attenuationWeight`, 0.001, 100, 3],
  [`${legacy}.daysWeight`, 0.001, 100, 3],
  ['legacy.attenuationDuration.weights.low', 0, 1, 3],
  ['legacy.attenuationDuration.weights.mid', 0, 1, 3],
  ['legacy.attenuationDuration.weights.high', 0, 1, 3],
  ['analytics.probabilityToSubmit', 0, 1, undefined],
  ['analytics.probabilityToSubmitExposureWindows', 0, 1, undefined],
];

test.each(decimals)(
  'D 3.2, 3.5: %s is from %d to %d, with at most %d decimal places',
  (path, least, greatest, places) => {
    for (const value of [least, greatest, 0.125]) expect(refused(path, value)).toBe(false);
    for (const value of [least - 0.001, greatest + 0.001]) {
      expect(faults(path, value)).toContainEqual({ field: path, value, rule: 'VALUE_OUT_OF_BOUNDS' });
    }
    if (places === undefined) return;
    const value = 0.1234;
    expect(faults(path, value)).toContainEqual({ field: path, value, rule: 'TOO_MANY_DECIMAL_PLACES' });
  },
);

/** Paths of all numbers, as faults name them. */
function numbers(value: unknown, path = ''): string[] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([name, one]) =>
    numbers(one, isList ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`),
  );
}

test('whatever number stands where one may stand, it is told as a fault or can be built', () => {
  const filled = changedConfiguration(source, {
    keyDownload: { revokedHourPackages: [{ region: 'EUR', date: '2020-09-13', hour: 1, etag: '"a"' }] },
    presenceTracing: { revokedTraceLocationVersions: [1] },
  });
  const tried = numbers(filled).flatMap((path) => [0.5, -1, 2 ** 32].map((value) => ({ path, value })));
  expect(tried.length).toBeGreaterThan(600);
  for (const { path, value } of tried) {
    const changed = withValue(filled, path, value);
    if (faultsOf(changed, countries).length > 0) continue;
    expect(() => buildConfiguration(changed, countries), `${path} = ${value}`).not.toThrow();
  }
});

test('a number that JSON reads as infinite is none', () => {
  const value = JSON.parse('1e999') as number;
  for (const path of [
    'riskCalculation.v2.transmissionRiskLevelMultiplier',
    'presenceTracing.qrCodeErrorCorrectionLevel',
  ]) {
    expect(faults(path, value)).toEqual([{ field: path, value, rule: 'INVALID_VALUES' }]);
  }
});

test('weights go by numbers of their enumeration', () => {
  const weights = 'android.dailySummariesConfig';
  for (const name of ['infectiousnessWeights', 'reportTypeWeights']) {
    expect(faults(`${weights}.${name}.99999999999`, 1)).toHaveLength(1);
    expect(faults(`${weights}.${name}.0`, 1)).toEqual([]);
  }
});

test('D 3.2: versions of apps are three whole numbers', () => {
  for (const system of ['ios', 'androidSemantic']) {
    for (const bound of ['min', 'latest']) {
      const field = `appVersions.${system}.${bound}`;
      for (const value of ['1.2', '1.2.x', '', '1.2.3.4']) {
        expect(faults(field, value)).toContainEqual({ field, value, rule: 'INVALID_VALUES' });
      }
    }
  }
});

test('D 2.4: both systems take 1 and 2 days since onset as keys are published with them', () => {
  for (const field of [
    'android.diagnosisKeysDataMapping.daysSinceOnsetToInfectiousness',
    'ios.exposureConfiguration.infectiousnessForDaysSinceOnsetOfSymptoms',
  ]) {
    for (const map of [{ 1: 1 }, { 2: 2 }, { 1: 2, 2: 2 }, { 1: 1, 2: 1 }]) {
      expect(faults(field, map)).toContainEqual({ field, value: map, rule: 'MISSING' });
    }
    expect(faults(field, { 1: 1, 2: 2, 3: 0 })).toEqual([]);
  }
});

test('D 3.5 BETTER: the risk of check-ins covers every level, and its mappings do not overlap', () => {
  const risk = 'presenceTracing.riskCalculationParameters';
  const { transmissionRiskValueMapping: levels } = source.presenceTracing.riskCalculationParameters;
  expect(faults(`${risk}.transmissionRiskValueMapping`, levels.slice(1))).toMatchObject([{ rule: 'MISSING' }]);
  for (const name of ['normalizedTimePerCheckInToRiskLevelMapping', 'normalizedTimePerDayToRiskLevelMapping']) {
    const overlapping = withValue(source, `${risk}.${name}[0].normalizedTimeRange.maxExclusive`, false);
    expect(faultsOf(overlapping, countries)).toMatchObject([{ field: `${risk}.${name}[0]`, rule: 'OVERLAP' }]);
  }
});
