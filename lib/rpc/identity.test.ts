import { expect, test } from 'vitest';
import { processOf } from './identity.ts';

test.each([
  ['URI:spiffe://cwa/gateway', 'gateway'],
  [
    'DNS:test-result, DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://cwa/test-result',
    'test-result',
  ],
  [undefined, undefined],
  ['', undefined],
  ['DNS:gateway', undefined],
  ['URI:spiffe://elsewhere/gateway', undefined],
  ['URI:spiffe://cwa/gateway/more', undefined],
  ['URI:spiffe://cwa/', undefined],
  ['URI:spiffe://cwa/Gateway', undefined],
  ['URI:spiffe://cwa/gateway, URI:spiffe://cwa/submission', undefined],
  ['URI:https://example.org, URI:spiffe://cwa/gateway', undefined],
  // Node quotes a value that holds a separator: it is one name, not two entries.
  ['DNS:"a, URI:spiffe://cwa/gateway"', undefined],
  ['DNS:"a\\", URI:spiffe://cwa/gateway"', undefined],
  ['DNS:"a", URI:"spiffe://cwa/gateway"', undefined],
  ['nonsense, URI:spiffe://cwa/gateway', undefined],
])('the caller of a certificate with the names %s is %s', (names, expected) => {
  expect(processOf(names)).toBe(expected);
});
