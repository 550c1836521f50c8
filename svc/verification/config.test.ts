import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ConfigError } from '../../lib/process/config.ts';
import { readConfig, rulesOf } from './config.ts';

const directory = mkdtempSync(join(tmpdir(), 'cwa-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
const pepperFile = join(directory, 'pepper');
writeFileSync(pepperFile, `${'p'.repeat(32)}\n`);

const complete = {
  VERIFICATION_DATABASE_URL: 'postgres://verification@127.0.0.1/verification',
  VERIFICATION_TLS_CERT_FILE: 'cert.pem',
  VERIFICATION_TLS_KEY_FILE: 'key.pem',
  VERIFICATION_TLS_CA_FILE: 'ca.pem',
  VERIFICATION_TELE_TAN_PEPPER_FILE: pepperFile,
  TEST_RESULT_ADDRESS: 'test-result:8503',
};

function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
}

test('defaults are those of the contract, and the pepper cannot be printed', () => {
  const rules = rulesOf(readConfig(complete).settings);
  expect(rules).toMatchObject({ maxRedeemedTans: 2, dobCheckDisabled: false, teleTansPerHour: 1_000 });
  expect(rules.teleTanPepper.reveal()).toBe('p'.repeat(32));
  expect(JSON.stringify(rules)).not.toContain('ppp');
});

test('every fault is reported at once, by the name of the setting and without its value', () => {
  writeFileSync(pepperFile, 'short');
  const faults = faultsOf({
    ...complete,
    VERIFICATION_MAX_REDEEMED_TANS: '0',
    VERIFICATION_DOB_CHECK_DISABLED: 'maybe',
    TEST_RESULT_ADDRESS: 'nowhere',
    VERIFICATION_DATABASE_URL: '',
  });
  expect(faults.map((fault) => fault.split(/:| is/)[0]).sort()).toEqual([
    'TEST_RESULT_ADDRESS',
    'VERIFICATION_DATABASE_URL',
    'VERIFICATION_DOB_CHECK_DISABLED',
    'VERIFICATION_MAX_REDEEMED_TANS',
    'VERIFICATION_TELE_TAN_PEPPER_FILE',
  ]);
  expect(faults.join()).not.toMatch(/short|maybe|nowhere/);
  expect(faultsOf({ ...complete, VERIFICATION_TELE_TAN_PEPPER_FILE: join(directory, 'none') })).toEqual([
    'VERIFICATION_TELE_TAN_PEPPER_FILE: the file it names cannot be read (ENOENT)',
  ]);
});
