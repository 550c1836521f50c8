import { expect, test } from 'vitest';
import { DEFAULT_KEY_RULE_SETTINGS, filterOf, rejectionOf, ruleBrokenBy, type UploadedKey } from './upload-rules.ts';

const midnight = Date.UTC(2026, 10, 26) / 1000;
const now = midnight + 10 * 3600 + 1199;
const today = midnight / 600;
const good: UploadedKey = {
  keyData: new Uint8Array(16),
  transmissionRiskLevel: 5,
  rollingStartIntervalNumber: today,
  rollingPeriod: 144,
  daysSinceOnsetOfSymptoms: 1,
};

test.each<[string, Partial<UploadedKey>, string | undefined, string | undefined]>([
  ['a good key', {}, undefined, undefined],
  ['15 bytes', { keyData: new Uint8Array(15) }, 'KEY_DATA_LENGTH', undefined],
  ['no key bytes', { keyData: undefined }, 'KEY_DATA_LENGTH', undefined],
  ['start after midnight', { rollingStartIntervalNumber: today - 143 }, 'ROLLING_START_ALIGNMENT', undefined],
  ['tomorrow', { rollingStartIntervalNumber: today + 144 }, undefined, 'ROLLING_START_IN_FUTURE'],
  [
    'tomorrow with 15 bytes',
    { rollingStartIntervalNumber: today + 144, keyData: new Uint8Array(15) },
    undefined,
    'ROLLING_START_IN_FUTURE',
  ],
  ['no start', { rollingStartIntervalNumber: undefined }, undefined, 'ROLLING_START_NOT_POSITIVE'],
  ['negative start', { rollingStartIntervalNumber: -1 }, undefined, 'ROLLING_START_NOT_POSITIVE'],
  ['14 days old', { rollingStartIntervalNumber: today - 14 * 144 }, undefined, undefined],
  ['15 days old', { rollingStartIntervalNumber: today - 15 * 144 }, undefined, 'KEY_TOO_OLD'],
  [
    '15 days old with 15 bytes',
    { rollingStartIntervalNumber: today - 15 * 144, keyData: new Uint8Array(15) },
    'KEY_DATA_LENGTH',
    'KEY_TOO_OLD',
  ],
  ['period 0', { rollingPeriod: 0 }, 'ROLLING_PERIOD', undefined],
  ['period 145', { rollingPeriod: 145 }, 'ROLLING_PERIOD', undefined],
  ['no period', { rollingPeriod: undefined }, undefined, undefined],
  ['level 0', { transmissionRiskLevel: 0 }, 'TRANSMISSION_RISK_LEVEL', undefined],
  ['level 9', { transmissionRiskLevel: 9 }, 'TRANSMISSION_RISK_LEVEL', undefined],
  ['days -16', { daysSinceOnsetOfSymptoms: -16 }, 'DAYS_SINCE_ONSET', undefined],
  ['days -15', { daysSinceOnsetOfSymptoms: -15 }, undefined, undefined],
  ['days 4000', { daysSinceOnsetOfSymptoms: 4000 }, undefined, undefined],
  ['days 4001', { daysSinceOnsetOfSymptoms: 4001 }, 'DAYS_SINCE_ONSET', undefined],
  [
    'neither',
    { transmissionRiskLevel: undefined, daysSinceOnsetOfSymptoms: undefined },
    'LEVEL_OR_ONSET_MISSING',
    undefined,
  ],
  ['level alone', { daysSinceOnsetOfSymptoms: undefined }, undefined, undefined],
  ['days alone', { transmissionRiskLevel: undefined }, undefined, undefined],
])('S 1.6, one key: %s', (_name, change, rejected, filtered) => {
  const key = { ...good, ...change };
  expect(rejectionOf(key, now)).toBe(rejected);
  expect(filterOf(key, now)).toBe(filtered);
});

test('the rule a key counts under is the first in the order of S 1.6, filters before period (decision 10)', () => {
  expect(ruleBrokenBy(good, now)).toBeUndefined();
  expect(ruleBrokenBy({ ...good, rollingStartIntervalNumber: today - 15 * 144, rollingPeriod: 0 }, now)).toBe(
    'KEY_TOO_OLD',
  );
  expect(ruleBrokenBy({ ...good, rollingStartIntervalNumber: today - 1, rollingPeriod: 0 }, now)).toBe(
    'ROLLING_START_ALIGNMENT',
  );
  expect(ruleBrokenBy({ ...good, rollingPeriod: 0, transmissionRiskLevel: 0 }, now)).toBe('ROLLING_PERIOD');
});

test('S 7.1: a key of the first ten minutes of a day is no key of the future', () => {
  expect(ruleBrokenBy(good, midnight)).toBeUndefined();
  expect(ruleBrokenBy(good, midnight - 1)).toBe('ROLLING_START_IN_FUTURE');
});

test('retention days are a setting', () => {
  const settings = { ...DEFAULT_KEY_RULE_SETTINGS, retentionDays: 3 };
  expect(ruleBrokenBy({ ...good, rollingStartIntervalNumber: today - 3 * 144 }, now, settings)).toBeUndefined();
  expect(ruleBrokenBy({ ...good, rollingStartIntervalNumber: today - 4 * 144 }, now, settings)).toBe('KEY_TOO_OLD');
});
