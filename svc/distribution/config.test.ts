import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '../../lib/process/config.ts';
import { recordingLog } from '../../lib/testing/rpc.ts';
import { readConfig, readRules } from './config.ts';
import { logSettings } from './log-settings.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'distribution-config-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function environment(given: Record<string, string> = {}): Record<string, string> {
  const at = folder();
  const key = join(at, 'export.pem');
  writeFileSync(
    key,
    generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ type: 'pkcs8', format: 'pem' }),
  );
  return {
    DISTRIBUTION_TLS_CERT_FILE: 'a',
    DISTRIBUTION_TLS_KEY_FILE: 'b',
    DISTRIBUTION_TLS_CA_FILE: 'c',
    SUBMISSION_ADDRESS: '127.0.0.1:8501',
    DISTRIBUTION_SIGNING_KEY_FILE: key,
    S3_ENDPOINT: 'http://127.0.0.1:9000',
    S3_BUCKET: 'cwa',
    S3_ACCESS_KEY_ID: 'id',
    S3_SECRET_ACCESS_KEY: 'secret',
    DISTRIBUTION_DATABASE_URL: 'postgres://distribution@127.0.0.1/distribution',
    ...given,
  };
}

const faultsOf = (given: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment(given));
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
};

test('decision 27: no switch turns off expiry, minimum size or immutability, or includes the current hour (D row 54 is gone)', () => {
  const wishes = {
    EXPIRY_POLICY_MINUTES: ['0', '119', '-120', '721', 'off', 'false'],
    DAYS_TO_PUBLISH: ['0', '15'],
    MINIMUM_TRL_VALUE_ALLOWED: ['0', '9'],
  };
  for (const [name, values] of Object.entries(wishes)) {
    for (const value of values) {
      expect(() => readRules({ [name]: value })).toThrow(ConfigError);
      expect(() => readRules({ [`DISTRIBUTION_${name}`]: value })).toThrow(ConfigError);
    }
  }
  // Names of the original, and whatever else one might try: none of them exists here.
  const unknown = [
    'SHIFTING_POLICY_THRESHOLD',
    'MINIMUM_KEYS',
    'MAXIMUM_KEYS',
    'FORCE_UPDATE_KEYFILES',
    'INCLUDE_INCOMPLETE_HOURS',
    'INCLUDE_INCOMPLETE_DAYS',
    'APPLY_POLICIES_FOR_ALL_COUNTRIES',
    'LONGEST_WAIT_HOURS',
    'PADDING_SPREAD',
    'DEMO',
  ];
  for (const name of unknown) {
    for (const value of ['0', '1', 'true', 'false']) {
      expect(readRules({ [name]: value, [`DISTRIBUTION_${name}`]: value })).toEqual(readRules({}));
    }
  }
  expect(readRules({})).toMatchObject({
    expiryMinutes: 120,
    minimumKeys: 140,
    maximumKeys: 600_000,
    daysToPublish: 14,
    longestWaitHours: 24,
  });
});

test('a valid environment is read, secrets cannot be printed', () => {
  const config = readConfig(environment());
  expect(config.signers).toHaveLength(1);
  expect(config.signers[0]?.name).toMatch(/^262-v1-[0-9a-f]{16}$/);
  expect(config.rules.supportedCountries).toEqual(['DE', 'FR', 'IT', 'ES', 'NL', 'AT']);
  expect(JSON.stringify(config.store)).not.toContain('"secret"');
  expect(config.usesPlaceholder).toBe(true);
  expect(readConfig(environment({ DISTRIBUTION_REISSUE_KEY_DIGEST: 'ab'.repeat(32) })).usesPlaceholder).toBe(false);
});

test('every fault is told at once, by the name of its setting', () => {
  const faults = faultsOf({
    SUBMISSION_ADDRESS: 'nowhere',
    DAYS_TO_PUBLISH: '99',
    S3_BUCKET: '',
    DISTRIBUTION_SIGNING_KEY_FILE: '/none',
  });
  for (const name of ['SUBMISSION_ADDRESS', 'DAYS_TO_PUBLISH', 'S3_BUCKET', 'DISTRIBUTION_SIGNING_KEY_FILE']) {
    expect(faults.some((fault) => fault.startsWith(name))).toBe(true);
  }
});

test('a key that is none and a configuration that breaks a rule end the start', () => {
  const at = folder();
  writeFileSync(join(at, 'key.pem'), 'no key');
  writeFileSync(join(at, 'config.json'), '{"exposureDetection":{"ios":{"maxExposureDetectionsPerInterval":7}}}');
  expect(faultsOf({ DISTRIBUTION_SIGNING_KEY_FILE: join(at, 'key.pem') })).toEqual([
    'DISTRIBUTION_SIGNING_KEY_FILE: the file it names holds no P-256 private key in PEM',
  ]);
  expect(faultsOf({ DISTRIBUTION_APP_CONFIGURATION_FILE: join(at, 'config.json') })).toEqual([
    'DISTRIBUTION_APP_CONFIGURATION_FILE: exposureDetection.ios.maxExposureDetectionsPerInterval = 7 breaks VALUE_OUT_OF_BOUNDS',
  ]);
  expect(faultsOf({ DISTRIBUTION_DATABASE_POOL_SIZE: '3' })).toEqual([
    'DISTRIBUTION_DATABASE_POOL_SIZE: must be at least 4',
  ]);
  expect(faultsOf({ SUPPORTED_COUNTRIES: 'FR,IT' })).toEqual(['SUPPORTED_COUNTRIES: must contain ORIGIN_COUNTRY']);
});

test('D fault 8: effective settings are in the log, and a placeholder digest is named', () => {
  const log = recordingLog();
  logSettings(log, readConfig(environment({ DAYS_TO_PUBLISH: '10' })));
  expect(log.lines).toContainEqual({ level: 'info', event: 'setting', setting: 'daysToPublish', status: 10 });
  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', setting: 'DISTRIBUTION_REISSUE_KEY_DIGEST' }),
  );
});
