import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { ConfigError } from '../../lib/process/config.ts';
import { readConfig } from './config.ts';

const folder = mkdtempSync(join(tmpdir(), 'cwa-prober-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const secret = file('secret', `${'s'.repeat(32)}\n`);
const required = {
  PROBER_TLS_CERT_FILE: 'a.crt',
  PROBER_TLS_KEY_FILE: 'a.key',
  PROBER_TLS_CA_FILE: 'ca.crt',
  PROBER_PHONE_URL: 'https://localhost:8443/',
  PROBER_PARTNER_URL: 'https://localhost:8444',
  PROBER_CA_FILE: file('ca', 'ca'),
  PROBER_CERT_FILE: file('cert', 'cert'),
  PROBER_KEY_FILE: file('key', 'key'),
  PROBER_EXPORT_KEY_FILE: file('export', publicKey.export({ type: 'spki', format: 'pem' })),
  PROBE_KEY_SECRET_FILE: secret,
  PROBE_REQUEST_SECRET_FILE: secret,
};
const faultsOf = (env: Record<string, string | undefined>): readonly string[] => {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    return (error as ConfigError).faults;
  }
};

test('defaults: every five minutes, the export within 75 minutes, the own country Germany', () => {
  const { settings, trusted } = readConfig(required);
  expect(settings).toMatchObject({
    PROBER_INTERVAL_SECONDS: 300,
    PROBER_EXPORT_DEADLINE_SECONDS: 4_500,
    PROBER_COUNTRY: 'DE',
    PROBER_PHONE_URL: 'https://localhost:8443',
    PROBER_MANAGEMENT_PORT: 9107,
  });
  expect([...trusted.keys.keys()]).toEqual(['262-v1']);
  expect(settings.PROBE_KEY_SECRET_FILE.reveal()).toBe('s'.repeat(32));
});

test('every fault is told, by the name of the setting and without its value', () => {
  const bad = {
    ...required,
    PROBER_PHONE_URL: 'http://localhost:8443',
    PROBER_INTERVAL_SECONDS: '9',
    PROBE_KEY_SECRET_FILE: file('short', 'short'),
    PROBE_REQUEST_SECRET_FILE: join(folder, 'nowhere'),
    PROBER_CERT_FILE: undefined,
  };
  expect([...faultsOf(bad)].sort()).toEqual([
    'PROBER_CERT_FILE is not set: it is required',
    'PROBER_INTERVAL_SECONDS: must be a whole number from 10 to 3600',
    'PROBER_PHONE_URL: must be an address like https://host:8443',
    'PROBE_KEY_SECRET_FILE: the file it names must hold 32 characters or more',
    'PROBE_REQUEST_SECRET_FILE: the file it names cannot be read (ENOENT)',
  ]);
  expect(faultsOf({ ...required, PROBER_EXPORT_KEY_FILE: secret })).toEqual([
    'PROBER_EXPORT_KEY_FILE: the file it names is no public key (SPKI, PEM)',
  ]);
});
