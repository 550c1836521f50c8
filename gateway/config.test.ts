import { expect, test } from 'vitest';
import { tlsSettings } from '../lib/rpc/mesh-process.ts';
import { publicTlsSettings } from './certificate-files.ts';
import { readConfig } from './config.ts';

const least = {
  GATEWAY_TLS_CERT_FILE: 'gateway.crt',
  GATEWAY_TLS_KEY_FILE: 'gateway.key',
  GATEWAY_TLS_CA_FILE: 'ca.crt',
  GATEWAY_PARTNERS_FILE: 'partners.json',
  SUBMISSION_ADDRESS: 'submission:8443',
  VERIFICATION_ADDRESS: 'verification:8443',
  TEST_RESULT_ADDRESS: 'test-result:8443',
  S3_BUCKET: 'cwa',
  S3_ACCESS_KEY_ID: 'local',
  S3_SECRET_ACCESS_KEY: 'hidden-value',
};

test('every fault is told at once, with its setting and without its value', () => {
  const read = () => readConfig({ GATEWAY_PHONE_PORT: 'canary', GATEWAY_ANSWER_FLOOR_MS: '-1', S3_BUCKET: 'cwa' });
  expect(read).toThrow(/GATEWAY_PHONE_PORT: must be/);
  expect(read).toThrow(/GATEWAY_ANSWER_FLOOR_MS: must be/);
  expect(read).toThrow(/SUBMISSION_ADDRESS is not set/);
  expect(read).toThrow(/S3_ACCESS_KEY_ID is not set/);
  expect(read).not.toThrow(/canary/);
  expect(() => readConfig({ ...least, S3_SECRET_ACCESS_KEY: '' })).toThrow(/S3_SECRET_ACCESS_KEY/);
});

test('defaults: ports 8443 and 8444, a floor of 500 ms, calls gathered for 3 ms up to 200', () => {
  const { settings, store } = readConfig(least);
  expect(settings).toMatchObject({
    GATEWAY_PHONE_PORT: 8443,
    GATEWAY_PARTNER_PORT: 8444,
    GATEWAY_ANSWER_FLOOR_MS: 500,
    GATEWAY_GATHER_WINDOW_MS: 3,
    GATEWAY_GATHER_ITEMS: 200,
    GATEWAY_SLOW_MS: 30_000,
  });
  expect(JSON.stringify(store)).not.toContain('hidden-value');
});

test('the public certificate and the CA of partners are the own ones of the mesh unless set', () => {
  expect(publicTlsSettings(readConfig(least).settings)).toEqual(tlsSettings('GATEWAY'));
  const env = {
    ...least,
    GATEWAY_PUBLIC_CERT_FILE: 'p.crt',
    GATEWAY_PUBLIC_KEY_FILE: 'p.key',
    GATEWAY_PARTNER_CA_FILE: 'p-ca.crt',
  };
  expect(publicTlsSettings(readConfig(env).settings)).toEqual({
    certFile: 'GATEWAY_PUBLIC_CERT_FILE',
    keyFile: 'GATEWAY_PUBLIC_KEY_FILE',
    caFile: 'GATEWAY_PARTNER_CA_FILE',
  });
});
