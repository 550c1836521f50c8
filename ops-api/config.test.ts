import { expect, test } from 'vitest';
import { ConfigError, type Env } from '../lib/process/config.ts';
import { readConfig } from './config.ts';

const needed = { OPS_API_TLS_CERT_FILE: 'a', OPS_API_TLS_KEY_FILE: 'b', OPS_API_TLS_CA_FILE: 'c' };
const read = (env: Env) => readConfig({ ...needed, ...env }, ['gateway', 'test-result', 'ops-api']);

test('defaults: no GraphiQL, no issuer, no process that is asked', () => {
  const { settings, addresses, issuer } = read({});
  expect(settings).toMatchObject({
    OPS_API_OPERATOR_PORT: 8446,
    OPS_API_GRAPHIQL: false,
    OPS_API_PERSISTED_ONLY: false,
  });
  expect([addresses.size, issuer]).toEqual([0, undefined]);
});

test('addresses by process; it asks itself without one', () => {
  const env = { OPS_API_TEST_RESULT_ADDRESS: 'test-result.cwa:8500', OPS_API_OPS_API_ADDRESS: 'elsewhere:1' };
  expect([...read(env).addresses]).toEqual([['test-result', 'test-result.cwa:8500']]);
});

test('an issuer comes with its audience', () => {
  expect(read({ OPS_API_OIDC_ISSUER: 'https://id.example' }).issuer).toEqual({
    issuer: 'https://id.example',
    audience: 'cwa-ops-api',
  });
});

test.each([
  [{ OPS_API_GATEWAY_ADDRESS: 'https://gateway' }, 'OPS_API_GATEWAY_ADDRESS: must look like host:port'],
  [{ OPS_API_OIDC_ISSUER: 'http://id.example' }, 'OPS_API_OIDC_ISSUER: must be an https:// URL'],
  [{ OPS_API_GRAPHIQL: 'yes' }, 'OPS_API_GRAPHIQL: must be true or false'],
  [{ OPS_API_TLS_KEY_FILE: '' }, 'OPS_API_TLS_KEY_FILE is not set: it is required'],
])('a fault names its setting: %o', (env, fault) => {
  expect(() => read(env)).toThrow(ConfigError);
  expect(() => read(env)).toThrow(fault);
});
