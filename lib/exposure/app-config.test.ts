import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  type ConfigAndroidValues,
  decodeConfigAndroid,
  decodeConfigIos,
  decodeConfigV1,
  encodeConfigAndroid,
  encodeConfigIos,
  encodeConfigV1,
} from './app-config.ts';

const peer = new URL('../../../shared/data/peer/', import.meta.url);
const withPeer = test.skipIf(!existsSync(peer));

withPeer(
  'appconfig_1_7_1.bin re-encodes byte-identically; as the v2 message it fails (skipped when ../shared/data/peer is missing)',
  () => {
    const bytes = readFileSync(new URL('appconfig_1_7_1.bin', peer));
    const config = decodeConfigV1(bytes);
    expect(config.minRiskScore).toBe(11);
    expect(config.attenuationDuration).toMatchObject({
      thresholds: { lower: 55, upper: 63 },
      riskScoreNormalizationDivisor: 50,
    });
    expect(encodeConfigV1(config).equals(bytes)).toBe(true);
    expect(() => decodeConfigAndroid(bytes)).toThrow(
      expect.objectContaining({ name: 'FormatError', reason: 'MESSAGE_MALFORMED' }),
    );
  },
);

withPeer(
  'appconfig_1_8_0.bin re-encodes byte-identically; as the v1 message it fails (skipped when ../shared/data/peer is missing)',
  () => {
    const bytes = readFileSync(new URL('appconfig_1_8_0.bin', peer));
    const config = decodeConfigAndroid(bytes);
    expect(config.keyDownloadParameters?.revokedDayPackages).toHaveLength(20);
    expect(encodeConfigAndroid(config).equals(bytes)).toBe(true);
    expect(() => decodeConfigV1(bytes)).toThrow(
      expect.objectContaining({ name: 'FormatError', reason: 'MESSAGE_MALFORMED' }),
    );
  },
);

test('D 2.8: map entries are written in ascending key order, whatever the order given, negative keys first', () => {
  const mapping = (days: Record<number, number>): ConfigAndroidValues => ({
    diagnosisKeysDataMapping: { daysSinceOnsetToInfectiousness: days, reportTypeWhenMissing: 1 },
    dailySummariesConfig: { infectiousnessWeights: { 2: 1, 1: 0.5 }, reportTypeWeights: { 4: 1, 1: 1 } },
  });
  const one = encodeConfigAndroid(mapping({ 2: 2, [-3]: 1, 1: 1, [-14]: 2, 0: 2 }));
  const other = encodeConfigAndroid(mapping({ [-14]: 2, 0: 2, [-3]: 1, 2: 2, 1: 1 }));
  expect(one.equals(other)).toBe(true);
  const at = (key: string): number => one.toString('hex').indexOf(key);
  const order = ['08f2ffffffffffffffff01', '08fdffffffffffffffff01', '08001002', '08011001', '08021002'].map(at);
  expect(order).toEqual([...order].sort((a, b) => a - b));
  expect(order).not.toContain(-1);
  expect(decodeConfigAndroid(one).diagnosisKeysDataMapping?.daysSinceOnsetToInfectiousness).toEqual({
    '-14': 2,
    '-3': 1,
    '0': 2,
    '1': 1,
    '2': 2,
  });
});

test('the given values are left as they are', () => {
  const values = {
    exposureConfiguration: { infectiousnessForDaysSinceOnsetOfSymptoms: { 2: 2, [-1]: 1 } },
    minVersion: { major: 3 },
  };
  const bytes = encodeConfigIos(values);
  expect(encodeConfigIos(decodeConfigIos(bytes)).equals(bytes)).toBe(true);
  expect(Object.keys(values.exposureConfiguration.infectiousnessForDaysSinceOnsetOfSymptoms)).toEqual(['2', '-1']);
});

test('bytes that are no message are a typed error', () => {
  for (const decode of [decodeConfigV1, decodeConfigAndroid, decodeConfigIos]) {
    expect(() => decode(Buffer.from([0x12, 0x02, 0x08]))).toThrow(
      expect.objectContaining({ reason: 'MESSAGE_MALFORMED' }),
    );
  }
});
