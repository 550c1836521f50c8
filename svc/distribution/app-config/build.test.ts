import { expect, test } from 'vitest';
import { decodeConfigAndroid, decodeConfigIos, decodeConfigV1 } from '../../../lib/exposure/app-config.ts';
import { publishedFields, unpackRiskLevel } from '../../../lib/exposure/risk-level.ts';
import { buildConfiguration, faultsOf } from './build.ts';
import { changedConfiguration, defaultConfiguration, placeholderDigest } from './source.ts';

const source = defaultConfiguration(placeholderDigest);
const countries = { supportedCountries: ['DE', 'FR', 'IT', 'ES', 'NL', 'AT'] };
const faulty = (changes: unknown) => faultsOf(changedConfiguration(source, changes), countries);

test('the published defaults break no rule', () => {
  expect(faultsOf(source, countries)).toEqual([]);
});

const klass = source.legacy.riskScoreClasses;
test.each([
  ['minRiskScore 0..9999', { legacy: { minRiskScore: 10_000 } }, 'legacy.minRiskScore', 'VALUE_OUT_OF_BOUNDS'],
  [
    'transmission weight 0.001..100',
    { legacy: { exposureConfig: { transmissionWeight: 0 } } },
    'legacy.exposureConfig.transmissionWeight',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'duration weight 0.001..100',
    { legacy: { exposureConfig: { durationWeight: 100.5 } } },
    'legacy.exposureConfig.durationWeight',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'attenuation weight at most 3 decimals',
    { legacy: { exposureConfig: { attenuationWeight: 1.0005 } } },
    'legacy.exposureConfig.attenuationWeight',
    'TOO_MANY_DECIMAL_PLACES',
  ],
  [
    'days weight is checked too (fault 17)',
    { legacy: { exposureConfig: { daysWeight: -1 } } },
    'legacy.exposureConfig.daysWeight',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'risk level known',
    { legacy: { exposureConfig: { duration: { gt30Min: 9 } } } },
    'legacy.exposureConfig.duration.gt30Min',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'risk level an enum number',
    { legacy: { exposureConfig: { duration: { gt30Min: 1.5 } } } },
    'legacy.exposureConfig.duration.gt30Min',
    'INVALID_VALUES',
  ],
  [
    'class label not blank',
    { legacy: { riskScoreClasses: [{ ...klass[0], label: ' ' }, klass[1]] } },
    'legacy.riskScoreClasses[0].label',
    'BLANK_LABEL',
  ],
  [
    'class bounds 0..9999',
    { legacy: { riskScoreClasses: [klass[0], { ...klass[1], max: 10_000 }] } },
    'legacy.riskScoreClasses[1].max',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'class min <= max',
    { legacy: { riskScoreClasses: [{ ...klass[0], min: 20 }, klass[1]] } },
    'legacy.riskScoreClasses[0].min',
    'MIN_GREATER_THAN_MAX',
  ],
  [
    'class url parseable',
    { legacy: { riskScoreClasses: [{ ...klass[0], url: 'no address' }, klass[1]] } },
    'legacy.riskScoreClasses[0].url',
    'INVALID_URL',
  ],
  [
    'sum of (max-min) = 9999',
    { legacy: { riskScoreClasses: [klass[0], { ...klass[1], max: 9998 }] } },
    'legacy.riskScoreClasses',
    'INVALID_PARTITIONING',
  ],
  [
    'threshold 0..100',
    { legacy: { attenuationDuration: { thresholds: { upper: 101 } } } },
    'legacy.attenuationDuration.thresholds.upper',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'threshold lower <= upper',
    { legacy: { attenuationDuration: { thresholds: { lower: 64 } } } },
    'legacy.attenuationDuration.thresholds.lower',
    'MIN_GREATER_THAN_MAX',
  ],
  [
    'bucket weight 0..1',
    { legacy: { attenuationDuration: { weights: { mid: 1.5 } } } },
    'legacy.attenuationDuration.weights.mid',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'bucket weight at most 3 decimals',
    { legacy: { attenuationDuration: { weights: { mid: 0.1234 } } } },
    'legacy.attenuationDuration.weights.mid',
    'TOO_MANY_DECIMAL_PLACES',
  ],
  [
    'offset 0..1',
    { legacy: { attenuationDuration: { defaultBucketOffset: 2 } } },
    'legacy.attenuationDuration.defaultBucketOffset',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'divisor 1..1000',
    { legacy: { attenuationDuration: { riskScoreNormalizationDivisor: 0 } } },
    'legacy.attenuationDuration.riskScoreNormalizationDivisor',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'app version latest >= min',
    { appVersions: { ios: { min: '1.10.0', latest: '1.9.9' } } },
    'appVersions.ios.latest',
    'MIN_GREATER_THAN_MAX',
  ],
])('D row 45: v1 config rules, %s: one bad value gives its error name and no archive', (_, changes, field, rule) => {
  expect(faulty(changes)).toContainEqual(expect.objectContaining({ field, rule, value: expect.anything() }));
  expect(() => buildConfiguration(changedConfiguration(source, changes), countries)).toThrow(field);
});

const v2 = source.riskCalculation.v2;
test.each([
  [
    'max detections 0..6',
    { exposureDetection: { android: { maxExposureDetectionsPerInterval: 7 } } },
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'detection timeout 0..3600',
    { exposureDetection: { android: { overallTimeoutInSeconds: 3601 } } },
    'VALUE_OUT_OF_BOUNDS',
  ],
  ['download timeout 0..1800', { keyDownload: { android: { downloadTimeoutInSeconds: -1 } } }, 'VALUE_OUT_OF_BOUNDS'],
  ['OTP name 1..30 characters', { survey: { otpQueryParameterName: '' } }, 'INVALID_VALUES'],
  ['survey url http(s)', { survey: { surveyOnHighRiskUrl: 'ftp://example.org' } }, 'INVALID_URL'],
  ['PPA probabilities 0..1', { analytics: { probabilityToSubmit: 1.1 } }, 'VALUE_OUT_OF_BOUNDS'],
  ['PPA hours >= 0', { analytics: { hoursSinceTestResultToSubmitKeySubmissionMetadata: -1 } }, 'VALUE_OUT_OF_BOUNDS'],
  ['DGC waits 0..60', { dgc: { testCertificateParameters: { waitForRetryInSeconds: 61 } } }, 'VALUE_OUT_OF_BOUNDS'],
  ['DGC threshold 0..100', { dgc: { expirationThresholdInDays: 101 } }, 'VALUE_OUT_OF_BOUNDS'],
  ['SRS 1..1000', { selfReport: { timeBetweenSubmissionsInDays: 0 } }, 'VALUE_OUT_OF_BOUNDS'],
  ['Android version code >= 0', { appVersions: { androidVersionCode: { min: -1 } } }, 'VALUE_OUT_OF_BOUNDS'],
  [
    'TRL mapping covers 1..8',
    { riskCalculation: { v2: { transmissionRiskValueMapping: v2.transmissionRiskValueMapping.slice(1) } } },
    'MISSING',
  ],
  [
    'level mappings do not overlap',
    {
      riskCalculation: {
        v2: {
          normalizedTimePerEWToRiskLevelMapping: v2.normalizedTimePerEWToRiskLevelMapping.map((m) => ({
            ...m,
            normalizedTimeRange: { ...m.normalizedTimeRange, maxExclusive: false },
          })),
        },
      },
    },
    'OVERLAP',
  ],
  [
    'trlEncoding in step with publishing',
    { riskCalculation: { v2: { trlEncoding: { reportTypeOffsetSelfReport: 3 } } } },
    'INVALID_VALUES',
  ],
  [
    'days since onset -14..14',
    { android: { diagnosisKeysDataMapping: { daysSinceOnsetToInfectiousness: { 15: 1 } } } },
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'infectiousness 0..2',
    { android: { diagnosisKeysDataMapping: { daysSinceOnsetToInfectiousness: { 0: 3 } } } },
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'reportTypeWhenMissing 1..5',
    { android: { diagnosisKeysDataMapping: { reportTypeWhenMissing: 0 } } },
    'VALUE_OUT_OF_BOUNDS',
  ],
])('D 3.5, 3.6: %s', (_, changes, rule) => {
  expect(faulty(changes)).toContainEqual(expect.objectContaining({ rule }));
});

test('D row 46: Android acceptance, decoded v2 config passes all of 3.6; empty digest fails the build', () => {
  const config = decodeConfigAndroid(buildConfiguration(source, countries).androidV2);
  expect(config.riskCalculationParameters?.transmissionRiskValueMapping.length).toBe(8);
  const mapping = config.diagnosisKeysDataMapping;
  const entries = Object.entries(mapping?.daysSinceOnsetToInfectiousness ?? {});
  expect(entries.length).toBeGreaterThan(0);
  for (const [days, infectiousness] of entries) {
    expect(Math.abs(Number(days))).toBeLessThanOrEqual(14);
    expect([0, 1, 2]).toContain(infectiousness);
  }
  expect([1, 2, 3, 4, 5]).toContain(mapping?.reportTypeWhenMissing);
  expect(config.dgcParameters?.reissueServicePublicKeyDigest).toHaveLength(32);
  expect(() => buildConfiguration(defaultConfiguration(''), countries)).toThrow(
    'reissueServicePublicKeyDigest: "" breaks MISSING',
  );
});

test('D row 47: risk sets, v1 path serves 13-minute set, v2 path 9-minute set, for both systems', () => {
  const files = buildConfiguration(source, countries);
  const high = (config: {
    riskCalculationParameters?:
      | {
          normalizedTimePerEWToRiskLevelMapping: {
            riskLevel: number;
            normalizedTimeRange?: { min: number } | undefined;
          }[];
        }
      | undefined;
  }) =>
    config.riskCalculationParameters?.normalizedTimePerEWToRiskLevelMapping.find(({ riskLevel }) => riskLevel === 2)
      ?.normalizedTimeRange?.min;
  expect(high(decodeConfigAndroid(files.androidV1))).toBe(13);
  expect(high(decodeConfigIos(files.iosV1))).toBe(13);
  expect(high(decodeConfigAndroid(files.androidV2))).toBe(9);
  expect(high(decodeConfigIos(files.iosV2))).toBe(9);
});

test('D 3.1: the v1 path has neither dgcParameters nor errorLogSharing, the v2 path has both', () => {
  const files = buildConfiguration(source, countries);
  expect(decodeConfigAndroid(files.androidV1)).toMatchObject({ supportedCountries: countries.supportedCountries });
  expect(decodeConfigAndroid(files.androidV1).dgcParameters).toBeUndefined();
  expect(decodeConfigAndroid(files.androidV1).errorLogSharingParameters).toBeUndefined();
  expect(decodeConfigIos(files.iosV2).dgcParameters).toBeDefined();
  expect(decodeConfigIos(files.iosV2).errorLogSharingParameters).toBeDefined();
});

test('D row 48: config has no header, bin of app_config parses as protobuf from byte 0', () => {
  const config = decodeConfigV1(buildConfiguration(source, countries).v1);
  expect(config).toMatchObject({
    minRiskScore: 11,
    attenuationDuration: { riskScoreNormalizationDivisor: 50 },
    supportedCountries: countries.supportedCountries,
  });
  expect(config.exposureConfig?.transmission?.appDefined8).toBe(8);
  expect(config.appVersion?.ios?.latest).toMatchObject({ major: 1, minor: 5, patch: 3 });
});

test('D row 49: revocation, revoked package entry carries the quoted ETag exactly as served', () => {
  const revoked = { region: 'EUR', date: '2020-09-13', etag: '"0123456789abcdef0123456789abcdef"' };
  const changed = changedConfiguration(source, { keyDownload: { revokedDayPackages: [revoked] } });
  expect(
    decodeConfigAndroid(buildConfiguration(changed, countries).androidV2).keyDownloadParameters?.revokedDayPackages[0],
  ).toMatchObject(revoked);
  expect(faulty({ keyDownload: { revokedDayPackages: [{ ...revoked, etag: 'no-quotes' }] } })).toContainEqual(
    expect.objectContaining({ field: 'keyDownload.revokedDayPackages[0].etag', rule: 'INVALID_VALUES' }),
  );
});

test('D row 50: deterministic maps, two serialisations of the config are byte-equal', () => {
  const weights = { 4: 1, 1: 1, 3: 1, 2: 1 };
  const other = changedConfiguration(source, { android: { dailySummariesConfig: { reportTypeWeights: weights } } });
  expect(buildConfiguration(other, countries)).toEqual(buildConfiguration(source, countries));
});

test('D row 9: TRL encoding, table 2.4 for TRL 1..8 is what the served configuration decodes', () => {
  const config = decodeConfigAndroid(buildConfiguration(source, countries).androidV2);
  const table = [
    [4, 1],
    [4, 2],
    [3, 1],
    [3, 2],
    [2, 1],
    [2, 2],
    [1, 1],
    [1, 2],
  ];
  for (const [i, [reportType, daysSinceOnsetOfSymptoms]] of table.entries()) {
    expect(publishedFields(i + 1)).toEqual({ reportType, daysSinceOnsetOfSymptoms });
    const infectiousness =
      config.diagnosisKeysDataMapping?.daysSinceOnsetToInfectiousness[daysSinceOnsetOfSymptoms ?? 0] ?? 0;
    expect(unpackRiskLevel(reportType ?? 0, infectiousness, config.riskCalculationParameters?.trlEncoding)).toBe(i + 1);
  }
});
