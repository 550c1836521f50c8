import { createHash } from 'node:crypto';

/** Registration token and TAN: UUID version 4, lower case except the variant nibble (S 2.1). */
export const UUID_PATTERN = /^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89aAbB][a-f0-9]{3}-[a-f0-9]{12}$/;

/** Hashed GUID: hex SHA-256, any case (S 2.2). */
export const HASHED_GUID_PATTERN = /^[0-9A-Fa-f]{64}$/;

/** Hash with date of birth, or hashed GUID: first character may be x (S 2.2, 3.2). */
export const HASHED_ID_PATTERN = /^[XxA-Fa-f0-9][A-Fa-f0-9]{63}$/;

/** Test id as printed in the QR code of a PCR test (S 2.8). */
export const GUID_PATTERN = /^[a-f\d]{6}-[a-f\d]{8}-([a-f\d]{4}-){3}[a-f\d]{12}$/i;

/** The 31 characters of a teleTAN: no 0, 1, I, L, O that could be misheard or misread (S 2.8). */
const TELE_TAN_ALPHABET = '23456789ABCDEFGHJKMNPQRSTUVWXYZ';
export const TELE_TAN_PATTERN = /^[23456789ABCDEFGHJKMNPQRSTUVWXYZ]{10}$/;
const TELE_TAN_BODY = 9;

/** Tokens that shipped apps put into fake calls (S 2.1): nobody owns them. */
export const FAKE_TOKENS = {
  android: '11111111-2222-4444-8888-161616161616',
  ios: '63b4d3ff-e0de-4bd4-90c1-17c2bb683a2f',
} as const;

/** Lower-case hex SHA-256 of the UTF-8 text: how tokens and TANs are stored (S 2.8). */
export function hashText(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

/** Key under which a PCR test is registered: hash of the GUID exactly as printed (S 2.8). */
export function hashGuid(guid: string): string {
  return hashText(guid);
}

/** Key with date of birth: "x" and the hash of GUID and ddMMyyyy without its first character (S 2.8). */
export function hashGuidWithBirthDate(guid: string, birthDate: { year: number; month: number; day: number }): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const text = `${two(birthDate.day)}${two(birthDate.month)}${String(birthDate.year).padStart(4, '0')}`;
  return `x${hashText(guid + text).slice(1)}`;
}

/** What a rapid-test QR code says about the tested person; all of it or, anonymous, none (S 2.8). */
export interface RapidTestPerson {
  birthDate: string;
  firstName: string;
  lastName: string;
  testId: string;
}

/** The `hash` of a rapid-test QR code, lower-case hex (S 2.8). */
export function rapidTestHash(test: { timestamp: number; salt: string }, person?: RapidTestPerson): string {
  const parts =
    person === undefined
      ? [test.timestamp, test.salt]
      : [person.birthDate, person.firstName, person.lastName, test.timestamp, person.testId, test.salt];
  return hashText(parts.join('#'));
}

/** Key under which a phone registers a rapid test: hash of the hex text of its `hash` (S 2.8). */
export function rapidTestKey(hash: string): string {
  return hashText(hash);
}

/** Check character of the nine characters of a teleTAN: first hex digit of their hash, 0 as G, 1 as H (S 2.8). */
export function teleTanCheckCharacter(body: string): string {
  const digit = (hashText(body)[0] as string).toUpperCase();
  return { '0': 'G', '1': 'H' }[digit] ?? digit;
}

/** Whether a teleTAN has the right characters and check character; says nothing about whether it was issued. */
export function isTeleTan(text: string): boolean {
  return TELE_TAN_PATTERN.test(text) && teleTanCheckCharacter(text.slice(0, TELE_TAN_BODY)) === text[TELE_TAN_BODY];
}

/** A new teleTAN; `random.int(n)` is a uniform integer 0 to n - 1 from a CSPRNG. */
export function newTeleTan(random: { int(exclusiveMax: number): number }): string {
  let body = '';
  while (body.length < TELE_TAN_BODY) body += TELE_TAN_ALPHABET[random.int(TELE_TAN_ALPHABET.length)] as string;
  return body + teleTanCheckCharacter(body);
}
