import { expect, test } from 'vitest';
import { readConfig } from './config.ts';

const complete = {
  TEST_RESULT_DATABASE_URL: 'postgres://test_result@127.0.0.1/test_result',
  TEST_RESULT_TLS_CERT_FILE: 'cert.pem',
  TEST_RESULT_TLS_KEY_FILE: 'key.pem',
  TEST_RESULT_TLS_CA_FILE: 'ca.pem',
};

test('what is not set has its default, and plain HTTP stays on the loopback', () => {
  expect(readConfig(complete).settings).toMatchObject({
    TEST_RESULT_HOST: '127.0.0.1',
    TEST_RESULT_PORT: 8503,
    TEST_RESULT_MANAGEMENT_HOST: '127.0.0.1',
    TEST_RESULT_MANAGEMENT_PORT: 9104,
  });
});

test('every fault is reported at once, by the name of the setting', () => {
  const faulty = { TEST_RESULT_PORT: '70000', TEST_RESULT_TLS_CERT_FILE: 'cert.pem' };
  expect(() => readConfig(faulty)).toThrow(
    [
      'TEST_RESULT_PORT: must be a whole number from 0 to 65535',
      'TEST_RESULT_TLS_KEY_FILE is not set: it is required',
      'TEST_RESULT_TLS_CA_FILE is not set: it is required',
      'TEST_RESULT_DATABASE_URL is not set: it is required',
    ].join('\n'),
  );
});
