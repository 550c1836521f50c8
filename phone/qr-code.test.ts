import { expect, test } from 'vitest';
import { hashText, rapidTestHash } from '../lib/exposure/token-format.ts';
import { parseQrCode, registrationKeys } from './qr-code.ts';

const GUID = 'F1EE0D-F1EE0D4D-4346-4B63-B9CF-1522D9200915';
const rapid = (json: unknown): string =>
  `https://s.coronawarn.app?v=1#${Buffer.from(JSON.stringify(json)).toString('base64url')}`;
const test1 = { timestamp: 1_618_386_548, salt: '759F8FF3554F0E1BBF6EFF8DE298D9E9' };

test.each([
  GUID,
  `https://localhost/?${GUID}`,
  `HTTPS://LOCALHOST/?${GUID}`,
  `https://localhost?${GUID}`,
  ` ${GUID.toLowerCase()} `,
])('PCR code %s', (code) => {
  expect(parseQrCode(code)).toMatchObject({ kind: 'pcr', guid: expect.stringMatching(/^f1ee0d/i) as string });
});

test('the GUID is hashed exactly as printed; a date of birth adds a second key', () => {
  expect(registrationKeys({ kind: 'pcr', guid: GUID })).toEqual({ key: hashText(GUID) });
  expect(registrationKeys({ kind: 'pcr', guid: GUID }, { year: 1995, month: 6, day: 7 }).keyDob).toBe(
    'x4a7788ef394bc7d52112014b127fe2bf142c51fe1bbb385214280e9db670193',
  );
});

test('rapid test codes, anonymous and personal, base64 and base64url; the key is the hash of the hex text', () => {
  const anonymous = { ...test1, hash: rapidTestHash(test1) };
  const code = parseQrCode(rapid(anonymous));
  expect(code).toEqual({ kind: 'rapid', hash: anonymous.hash });
  expect(registrationKeys(code)).toEqual({ key: hashText(anonymous.hash) });
  const person = { dob: '1990-12-24', fn: 'Zoë', ln: 'L', testid: '1' };
  const hash = rapidTestHash(test1, {
    birthDate: person.dob,
    firstName: person.fn,
    lastName: person.ln,
    testId: person.testid,
  });
  expect(
    parseQrCode(
      `https://p.coronawarn.app/?v=1#${Buffer.from(JSON.stringify({ ...test1, ...person, hash })).toString('base64')}`,
    ),
  ).toEqual({ kind: 'rapid', hash });
});

test.each([
  '',
  'hello',
  `https://example.org/?${GUID}`,
  GUID.slice(1),
  'https://s.coronawarn.app?v=1#!!',
  rapid({}),
  rapid({ ...test1, hash: '0'.repeat(64) }),
  rapid(null),
])('%j is no code of a test', (code) => {
  expect(() => parseQrCode(code)).toThrow(expect.objectContaining({ reason: 'QR_CODE' }));
});
