import { expect, test } from 'vitest';
import { readSecurityFeedSettings } from './settings.ts';

const complete = {
  SECURITY_FEED_URL: 'https://siem.example/events',
  SECURITY_FEED_CERT_FILE: 'feed.crt',
  SECURITY_FEED_KEY_FILE: 'feed.key',
  SECURITY_FEED_CA_FILE: 'siem-ca.crt',
  SECURITY_FEED_BUFFER_DIR: '/var/lib/cwa/security-feed',
};

test('without a URL there is no collector, whatever else is set', () => {
  expect(readSecurityFeedSettings({ ...complete, SECURITY_FEED_URL: '' })).toEqual({});
});

test('the buffer holds 10 MiB unless said otherwise', () => {
  expect(readSecurityFeedSettings(complete).collector).toMatchObject({ bufferBytes: 10_485_760 });
  const small = readSecurityFeedSettings({ ...complete, SECURITY_FEED_BUFFER_BYTES: '65536' });
  expect(small.collector?.bufferBytes).toBe(65_536);
});

test('with a URL everything else is required, and every fault is named at once', () => {
  expect(() => readSecurityFeedSettings({ SECURITY_FEED_URL: 'http://siem.example' })).toThrow(
    expect.objectContaining({
      faults: [
        'SECURITY_FEED_URL: must be an https:// URL',
        'SECURITY_FEED_CERT_FILE is not set: it is required',
        'SECURITY_FEED_KEY_FILE is not set: it is required',
        'SECURITY_FEED_CA_FILE is not set: it is required',
        'SECURITY_FEED_BUFFER_DIR is not set: it is required',
      ],
    }),
  );
  expect(() => readSecurityFeedSettings({ ...complete, SECURITY_FEED_BUFFER_BYTES: '10' })).toThrow(
    /^SECURITY_FEED_BUFFER_BYTES: must be a whole number from 65536/,
  );
});
