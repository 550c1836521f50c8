import { expect, test } from 'vitest';
import { faultsOf } from './build.ts';
import { changedConfiguration, defaultConfiguration, placeholderDigest } from './source.ts';

const source = defaultConfiguration(placeholderDigest);
const faulty = (changes: unknown, supportedCountries = ['DE']) =>
  faultsOf(changedConfiguration(source, changes), { supportedCountries });

test.each([
  ['a list instead of an object', { legacy: [] }, 'legacy', 'INVALID_VALUES'],
  ['null', { survey: null }, 'survey', 'INVALID_VALUES'],
  ['nothing but a number', 7, 'configuration', 'INVALID_VALUES'],
  ['text instead of a number', { legacy: { minRiskScore: '11' } }, 'legacy.minRiskScore', 'INVALID_VALUES'],
  ['a misspelt name', { legacy: { minRiskscore: 12 } }, 'legacy.minRiskscore', 'UNKNOWN_FIELD'],
  [
    'a list element without a field',
    { keyDownload: { revokedDayPackages: [{ region: 'EUR', etag: '"a"' }] } },
    'keyDownload.revokedDayPackages[0].date',
    'MISSING',
  ],
  [
    'days that are no number',
    { android: { diagnosisKeysDataMapping: { daysSinceOnsetToInfectiousness: { one: 1 } } } },
    'android.diagnosisKeysDataMapping.daysSinceOnsetToInfectiousness.one',
    'UNKNOWN_FIELD',
  ],
  [
    'a filter that later apps know too, in the wrong form',
    { riskCalculation: { v2: { trlFilters: [{ dropIfTrlInRange: { min: 1, max: 2 } }] } } },
    'riskCalculation.v2.trlFilters[0].dropIfTrlInRange.minExclusive',
    'MISSING',
  ],
])('a source of the wrong shape is told by field, value and rule, not by a crash: %s', (_, changes, field, rule) => {
  expect(faulty(changes)).toContainEqual({ field, rule, value: expect.toSatisfy((value) => value !== undefined) });
});

test('what later apps may have again, and other days since onset, have the right shape', () => {
  const range = { min: 1, max: 2, minExclusive: false, maxExclusive: false };
  expect(faulty({ riskCalculation: { v2: { trlFilters: [{ dropIfTrlInRange: range }] } } })).toEqual([]);
  const days = { daysSinceOnsetToInfectiousness: { '-3': 1 } };
  expect(faulty({ android: { diagnosisKeysDataMapping: days } })).toEqual([]);
});

test.each([
  [
    'ranges begin before they end',
    {
      presenceTracing: {
        submissionParameters: {
          durationFilters: [{ dropIfMinutesInRange: { min: 9, max: 1, minExclusive: false, maxExclusive: true } }],
        },
      },
    },
    'presenceTracing.submissionParameters.durationFilters[0].dropIfMinutesInRange',
    'MIN_GREATER_THAN_MAX',
  ],
  [
    'classes leave no gap and do not overlap, although their sum is right',
    {
      legacy: {
        riskScoreClasses: [
          { label: 'A', min: 0, max: 9999, url: 'https://a' },
          { label: 'B', min: 5, max: 5, url: 'https://a' },
        ],
      },
    },
    'legacy.riskScoreClasses',
    'INVALID_PARTITIONING',
  ],
  [
    'iOS maps days since onset like Android',
    { ios: { exposureConfiguration: { infectiousnessForDaysSinceOnsetOfSymptoms: { 2: 3 } } } },
    'ios.exposureConfiguration.infectiousnessForDaysSinceOnsetOfSymptoms.2',
    'VALUE_OUT_OF_BOUNDS',
  ],
  [
    'revoked packages carry a day',
    { keyDownload: { revokedDayPackages: [{ region: 'EUR', date: '13.09.2020', etag: '"a"' }] } },
    'keyDownload.revokedDayPackages[0].date',
    'INVALID_VALUES',
  ],
  [
    'revoked packages carry an hour of the day',
    { keyDownload: { revokedHourPackages: [{ region: 'EUR', date: '2020-09-13', hour: 24, etag: '"a"' }] } },
    'keyDownload.revokedHourPackages[0].hour',
    'VALUE_OUT_OF_BOUNDS',
  ],
])('D 3.2, 3.5 BETTER: %s', (_, changes, field, rule) => {
  expect(faulty(changes)).toContainEqual(expect.objectContaining({ field, rule }));
});

test('D 3.5: supported countries are not empty and ISO 3166', () => {
  for (const codes of [[], ['DE', 'XX'], ['EU'], ['ZZ'], ['de']]) {
    expect(faulty({}, codes)).toEqual([{ field: 'supportedCountries', value: codes, rule: 'INVALID_VALUES' }]);
  }
  expect(faulty({}, ['DE', 'FR', 'IT', 'ES', 'NL', 'AT', 'CH', 'NO', 'IE'])).toEqual([]);
});
