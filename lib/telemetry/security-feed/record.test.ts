import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SecurityEvent } from '../security.ts';
import { allowedFields } from './record.ts';

const said = (event: object) => allowedFields(event as SecurityEvent);

test.each<SecurityEvent>([
  { type: 'caller-refused', rpc: '/cwa.test_result.v1.LabResultService/StoreResults', caller: 'test-result' },
  { type: 'caller-refused', rpc: '/grpc.health.v1.Health/Check', caller: 'unknown' },
  { type: 'partner-refused', reason: 'lab-id', partner: 'lab-berlin-2' },
  { type: 'guessing-alarm', target: 'tele-tan' },
  { type: 'certificate-expiring', certificate: 'GATEWAY_TLS_CERT_FILE', days: -3 },
  { type: 'role-violation', reason: 'two-teams', team: 'ops-cwa' },
  { type: 'field-refused', team: 'ops-security' },
  { type: 'configuration-changed', what: 'partners', version: 'v2' },
  { type: 'configuration-changed', what: 'signing-keys', version: '262-v2 262-v1' },
  { type: 'configuration-changed', what: 'app-configuration', version: '12345' },
  { type: 'overload', route: '/version/v1/registrationToken' },
  { type: 'process-started', version: '0.1.0' },
  { type: 'events-lost', reason: 'disk', lost: 3 },
])('what the house says of itself passes: $type', (event) => {
  const { type: _type, ...fields } = event;
  expect(allowedFields(event)).toEqual(fields);
});

const types = [
  'caller-refused',
  'partner-refused',
  'guessing-alarm',
  'certificate-refused',
  'certificate-reloaded',
  'certificate-expiring',
  'sign-in-refused',
  'role-violation',
  'field-refused',
  'configuration-changed',
  'overload',
  'process-started',
  'process-stopped',
  'events-lost',
];
const known = 'rpc caller reason partner target certificate days team what version route lost'.split(' ');
const fields = [...known, 'id', 'time', 'process', 'count', 'address', '__proto__', 'toString'];

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const base64 = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((bytes) => Buffer.from(bytes).toString('base64'));
/** Everything that people or their phones could be known by. */
const personal = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  hex(32),
  hex(64),
  base64(16),
  fc.stringMatching(/^[2-9A-HJ-KMNP-Z]{10}$/), // teleTAN
  fc.ipV4(),
  fc.ipV6(),
  fc.emailAddress(),
  fc.webUrl(),
  fc.constantFrom(
    'Mozilla/5.0 (iPhone)',
    'okhttp/4.9.3',
    'Ada Lovelace',
    '1990-12-10',
    '+49 30 1234567',
    'eyJhbGciOiJFUzI1NiJ9.e30.c2ln',
  ),
  fc.uuid().map((id) => `/version/v1/tan/${id}`),
  fc.uuid().map((id) => `/cwa.verification.v1.TanService/${id}`),
  fc.string({ minLength: 1 }).map((text) => `${text} and more`),
);

test('nothing personal is said in any field of any event', () => {
  fc.assert(
    fc.property(fc.constantFrom(...types), fc.constantFrom(...fields), personal, (type, field, value) => {
      expect(Object.values(said({ type, [field]: value }) ?? {}).filter((kept) => kept !== 'withheld')).toEqual([]);
    }),
    { numRuns: 5_000 },
  );
});

test('of anything at all only the named fields are said, each one short word or number', () => {
  const junk = fc.dictionary(fc.oneof(fc.constantFrom(...fields), fc.string()), fc.anything(), { maxKeys: 12 });
  const word = /^([a-z]+(-[a-z0-9]+)*|[A-Z_0-9]+|\/[\w.:*/-]+|v?[\d.]{1,14}|[\dv -]{1,40})$/;
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...types), fc.string()), junk, (type, values) => {
      const kept = said({ ...values, type });
      expect(kept !== undefined).toBe(types.includes(type));
      for (const [field, value] of Object.entries(kept ?? {})) {
        expect(known).toContain(field);
        expect(Number.isSafeInteger(value) || (typeof value === 'string' && word.test(value)), String(value)).toBe(
          true,
        );
      }
    }),
    { numRuns: 5_000 },
  );
});

test('what a cast brings along is dropped, and a value that is no name is withheld', () => {
  const event = { type: 'partner-refused', reason: 'unlisted', partner: '192.0.2.1', address: '192.0.2.1' };
  expect(said(event)).toEqual({ reason: 'unlisted', partner: 'withheld' });
  expect(said({ type: 'constructor' })).toBeUndefined();
});
