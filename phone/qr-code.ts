import {
  GUID_PATTERN,
  hashGuid,
  hashGuidWithBirthDate,
  rapidTestHash,
  rapidTestKey,
} from '../lib/exposure/token-format.ts';
import { PhoneError } from './http.ts';

/** What a test's QR code tells the phone (S 2.8). */
export type TestCode = { kind: 'pcr'; guid: string } | { kind: 'rapid'; hash: string };

interface RapidTestJson {
  timestamp: number;
  salt: string;
  hash: string;
  fn?: string;
  ln?: string;
  dob?: string;
  testid?: string;
}

const PCR_PREFIX = /^https:\/\/localhost\/?\?/i;
const RAPID_PREFIX = /^https:\/\/[sp]\.coronawarn\.app\/?\?v=1#/i;

/**
 * Reads a QR code: `https://localhost/?<GUID>` of a PCR test, a bare GUID, or the code of a rapid test.
 * @throws PhoneError `QR_CODE`
 */
export function parseQrCode(text: string): TestCode {
  const code = text.trim();
  if (RAPID_PREFIX.test(code)) return parseRapid(code.replace(RAPID_PREFIX, ''));
  const guid = code.replace(PCR_PREFIX, '');
  if (!GUID_PATTERN.test(guid)) throw new PhoneError('QR_CODE');
  return { kind: 'pcr', guid };
}

/** The key under which the phone registers, and the second one with date of birth for PCR tests (S 2.2, 2.8). */
export function registrationKeys(
  code: TestCode,
  birthDate?: { year: number; month: number; day: number },
): { key: string; keyDob?: string } {
  if (code.kind === 'rapid') return { key: rapidTestKey(code.hash) };
  const key = hashGuid(code.guid);
  return birthDate === undefined ? { key } : { key, keyDob: hashGuidWithBirthDate(code.guid, birthDate) };
}

/** The hash must be that of the other values; else the code was forged or damaged. */
function parseRapid(base64: string): TestCode {
  let json: Partial<RapidTestJson> | null;
  try {
    json = JSON.parse(Buffer.from(base64, 'base64url').toString('utf8')) as Partial<RapidTestJson> | null;
  } catch (error) {
    throw new PhoneError('QR_CODE', { cause: error });
  }
  const { timestamp, salt, hash, fn, ln, dob, testid } = json ?? {};
  if (typeof timestamp !== 'number' || typeof salt !== 'string' || typeof hash !== 'string')
    throw new PhoneError('QR_CODE');
  const named = dob && fn && ln && testid ? { birthDate: dob, firstName: fn, lastName: ln, testId: testid } : undefined;
  if (rapidTestHash({ timestamp, salt }, named) !== hash.toLowerCase()) throw new PhoneError('QR_CODE');
  return { kind: 'rapid', hash };
}
