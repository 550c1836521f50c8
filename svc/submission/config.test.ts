import { expect, test } from 'vitest';
import type { ConfigError } from '../../lib/process/config.ts';
import { readConfig } from './config.ts';

const required = {
  SUBMISSION_DATABASE_URL: 'postgres://submission@127.0.0.1:5432/submission',
  SUBMISSION_TLS_CERT_FILE: 'a.crt',
  SUBMISSION_TLS_KEY_FILE: 'a.key',
  SUBMISSION_TLS_CA_FILE: 'ca.crt',
  VERIFICATION_ADDRESS: '127.0.0.1:8502',
};

test('defaults: 30 keys an upload (decision 17), six countries (decision 18), no padding, 14 days', () => {
  expect(readConfig(required).intake).toEqual({
    maxNumberOfKeys: 30,
    retentionDays: 14,
    originCountry: 'DE',
    supportedCountries: ['DE', 'FR', 'IT', 'ES', 'NL', 'AT'],
    keyPaddingMultiplier: 1,
  });
});

test("the contract's names are accepted, and with the service's prefix they win", () => {
  const env = {
    ...required,
    MAX_NUMBER_OF_KEYS: '14',
    SUPPORTED_COUNTRIES: 'DE, PL',
    RANDOM_KEY_PADDING_MULTIPLIER: '10',
  };
  expect(readConfig(env).intake).toMatchObject({
    maxNumberOfKeys: 14,
    supportedCountries: ['DE', 'PL'],
    keyPaddingMultiplier: 10,
  });
  expect(readConfig({ ...env, SUBMISSION_MAX_NUMBER_OF_KEYS: '20' }).intake.maxNumberOfKeys).toBe(20);
});

test('S 1.13: values out of range end start-up, all faults at once', () => {
  const bad = {
    ...required,
    MAX_NUMBER_OF_KEYS: '101',
    RETENTION_DAYS: '15',
    SUPPORTED_COUNTRIES: 'Germany',
    VERIFICATION_ADDRESS: 'x',
    SUBMISSION_DATABASE_URL: undefined,
  };
  const faults = (() => {
    try {
      readConfig(bad);
    } catch (error) {
      return (error as ConfigError).faults;
    }
  })();
  expect(faults?.map((fault) => fault.split(':')[0]?.split(' ')[0]).sort()).toEqual([
    'MAX_NUMBER_OF_KEYS',
    'RETENTION_DAYS',
    'SUBMISSION_DATABASE_URL',
    'SUPPORTED_COUNTRIES',
    'VERIFICATION_ADDRESS',
  ]);
});
