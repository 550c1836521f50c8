import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  KeyType,
  type Registration,
  RegisterTokenRefusal,
  TeleTanType,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import { aDob, aGuid, dayMs, guid, hourMs, isToken, keys, openService, teleTan } from './fixtures/open-service.ts';

const {
  REGISTER_TOKEN_REFUSAL_INVALID_KEY: INVALID_KEY,
  REGISTER_TOKEN_REFUSAL_ALREADY_REGISTERED: ALREADY_REGISTERED,
  REGISTER_TOKEN_REFUSAL_TELE_TAN_NOT_REDEEMABLE: NOT_REDEEMABLE,
} = RegisterTokenRefusal;
const { TELE_TAN_TYPE_TEST: TEST, TELE_TAN_TYPE_EVENT: EVENT } = TeleTanType;

test('S row 41: a GUID is registered once, also in other letter case, also as the date-of-birth hash of another', async () => {
  const { registerGuid, rowCount } = await openService();
  expect(await registerGuid(aGuid(1), aDob(1))).toMatch(UUID_PATTERN);
  expect(await registerGuid(aGuid(1))).toBe(ALREADY_REGISTERED);
  expect(await registerGuid(aGuid(1).toUpperCase())).toBe(ALREADY_REGISTERED);
  expect(await registerGuid(aGuid(2), aGuid(1))).toBe(ALREADY_REGISTERED);
  expect(await registerGuid(aGuid(2), aDob(1).toUpperCase())).toBe(ALREADY_REGISTERED);
  expect(await registerGuid(aGuid(2), aDob(2))).toMatch(UUID_PATTERN);
  expect(await rowCount('session')).toBe(2);
  expect(await rowCount('registered_hash')).toBe(4);
});

test('S row 41: a plain hash that was registered as one with date of birth is no GUID for another', async () => {
  const { registerGuid } = await openService();
  expect(await registerGuid(aGuid(1), aGuid(2))).toMatch(UUID_PATTERN);
  expect(await registerGuid(aGuid(2))).toBe(ALREADY_REGISTERED);
});

test('lists of more than 5,000 items are refused whole', async () => {
  const { register, getResults, issue, reserveAll } = await openService();
  const tooMany = { reason: 'TOO_MANY_ITEMS' };
  const many = <T>(item: T) => Array<T>(5_001).fill(item);
  await expect(register(...many(guid(aGuid(1))))).rejects.toMatchObject(tooMany);
  await expect(getResults(...many(randomUUID()))).rejects.toMatchObject(tooMany);
  await expect(issue(...many(randomUUID()))).rejects.toMatchObject(tooMany);
  const claim = { tan: randomUUID(), keysHash: keys(1), event: false };
  await expect(reserveAll(...many(claim))).rejects.toMatchObject(tooMany);
});

test('a plain hash sent as the one with date of birth too says nothing more', async () => {
  const { registerGuid, rowCount } = await openService();
  expect(await registerGuid(aGuid(1), aGuid(1).toUpperCase())).toMatch(UUID_PATTERN);
  expect(await rowCount('registered_hash')).toBe(1);
});

test.each([
  ['alone', 1],
  ['in lists of 20', 20],
])(
  'S row 42: 1,000 parallel registrations of one GUID or one teleTAN, %s: exactly one succeeds',
  async (_how, size) => {
    const { register, issueTeleTan, rowCount } = await openService();
    for (let round = 0; round < 3; round++) {
      const key = (await issueTeleTan(EVENT)) as string;
      const race = (item: Registration) =>
        Promise.all(Array.from({ length: 1_000 / size }, () => register(...new Array(size).fill(item))));
      const guids = await race(guid(aGuid(round), aDob(round)));
      const teleTans = await race(teleTan(key));
      for (const [outcomes, refusal] of [
        [guids.flat(), ALREADY_REGISTERED],
        [teleTans.flat(), NOT_REDEEMABLE],
      ] as const) {
        expect(outcomes.filter(isToken)).toHaveLength(1);
        expect(outcomes.filter((outcome) => outcome === refusal)).toHaveLength(999);
      }
    }
    expect(await rowCount('session')).toBe(6);
  },
);

test('parallel lists of many GUIDs in any order all end, each GUID registered once', async () => {
  const { register, rowCount } = await openService();
  const guids = Array.from({ length: 100 }, (_, i) => guid(aGuid(i), aDob(i % 50)));
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) => register(...(n % 2 ? guids : guids.toReversed()))),
  );
  // Of two GUIDs with the same date-of-birth hash only one can be registered.
  expect(outcomes.flat().filter(isToken)).toHaveLength(50);
  expect(await rowCount('session')).toBe(50);
  expect(await rowCount('registered_hash')).toBe(100);
});

test('a refused registration leaves nothing, and the next in its list can have the GUID', async () => {
  const { register, registerGuid, rowCount } = await openService();
  await registerGuid(aGuid(1), aDob(1));
  const outcomes = await register(guid(aGuid(2), aDob(1)), guid(aGuid(2)), guid(aGuid(2)), guid(aGuid(3)));
  expect(outcomes.map(isToken)).toEqual([false, true, false, true]);
  expect(await rowCount('registered_hash')).toBe(4);
});

test('S row 43: keyDob without hex or x and of 65 characters is refused', async () => {
  const { registerGuid, rowCount } = await openService();
  expect(await registerGuid(aGuid(1), `y${aDob(1).slice(1)}`)).toBe(INVALID_KEY);
  expect(await registerGuid(aGuid(1), `${aDob(1)}0`)).toBe(INVALID_KEY);
  expect(await registerGuid(aGuid(1), `${aDob(1).slice(0, 63)}x`)).toBe(INVALID_KEY);
  expect(await registerGuid(aGuid(1), `${aDob(1)}\n`)).toBe(INVALID_KEY);
  expect(await rowCount('registered_hash')).toBe(0);
  expect(await registerGuid(aGuid(1), aDob(1))).toMatch(UUID_PATTERN);
});

test('GUID keys of wrong length or alphabet and unknown key types are refused', async () => {
  const { register } = await openService();
  const keys = ['', aGuid(1).slice(1), `${aGuid(1)}0`, `g${aGuid(1).slice(1)}`, aDob(1)];
  expect(await register(...keys.map((key) => guid(key)))).toEqual(keys.map(() => INVALID_KEY));
  expect(await register({ keyType: KeyType.KEY_TYPE_UNSPECIFIED, key: aGuid(1), keyDob: '' })).toEqual([INVALID_KEY]);
});

test('S row 44: a teleTAN of the wrong alphabet, unknown, expired after 61 min or used is refused', async () => {
  const { registerTeleTan, issueTeleTan, clock } = await openService();
  expect(await registerTeleTan('9A3B578UM0')).toBe(INVALID_KEY);
  expect(await registerTeleTan('9a3b578umg')).toBe(INVALID_KEY);
  expect(await registerTeleTan('9A3B578UMG')).toBe(NOT_REDEEMABLE);
  const [used, late, intime] = [await issueTeleTan(), await issueTeleTan(), await issueTeleTan()] as string[];
  expect(await registerTeleTan(used as string)).toMatch(UUID_PATTERN);
  expect(await registerTeleTan(used as string)).toBe(NOT_REDEEMABLE);
  clock.advance(59 * 60_000);
  expect(await registerTeleTan(intime as string)).toMatch(UUID_PATTERN);
  clock.advance(2 * 60_000);
  expect(await registerTeleTan(late as string)).toBe(NOT_REDEEMABLE);
});

test('S row 45: an EVENT teleTAN can be used after 47 h, not after 49 h', async () => {
  const { registerTeleTan, issueTeleTan, clock, deleteExpired } = await openService();
  const [first, second] = [await issueTeleTan(EVENT), await issueTeleTan(EVENT)] as string[];
  clock.advance(47 * hourMs);
  await deleteExpired();
  expect(await registerTeleTan(first as string)).toMatch(UUID_PATTERN);
  clock.advance(2 * hourMs);
  expect(await registerTeleTan(second as string)).toBe(NOT_REDEEMABLE);
});

test.each([
  ['TEST', TEST, hourMs],
  ['EVENT', EVENT, 48 * hourMs],
])(
  'S 2.2: a teleTAN of type %s can be used until the last millisecond before its end',
  async (_name, type, validMs) => {
    const { registerTeleTan, issueTeleTan, clock } = await openService();
    const [first, second] = [await issueTeleTan(type), await issueTeleTan(type)] as string[];
    clock.advance(validMs - 1);
    expect(await registerTeleTan(first as string)).toMatch(UUID_PATTERN);
    clock.advance(1);
    expect(await registerTeleTan(second as string)).toBe(NOT_REDEEMABLE);
  },
);

test('a list mixes GUIDs, teleTANs and nonsense; every item has its own outcome', async () => {
  const { register, issueTeleTan } = await openService();
  const key = (await issueTeleTan(TEST)) as string;
  const outcomes = await register(guid(aGuid(1)), teleTan(key), guid('no'), teleTan(key), guid(aGuid(1)));
  expect(outcomes.map(isToken)).toEqual([true, true, false, false, false]);
  expect(outcomes.slice(2)).toEqual([INVALID_KEY, NOT_REDEEMABLE, ALREADY_REGISTERED]);
});

test('tokens, teleTANs and pepper are in no table; teleTANs are stored under a keyed hash', async () => {
  const { register, issueTeleTan, pool } = await openService();
  const key = (await issueTeleTan()) as string;
  const [token] = await register(teleTan(key));
  for (const table of ['session', 'registered_hash', 'tele_tan', 'tele_tan_attempt']) {
    const { rows } = await pool.query(`select t::text as text from ${table} t`);
    const text = JSON.stringify(rows);
    expect(text).not.toContain(key);
    expect(text).not.toContain(token);
  }
  const { rows } = await pool.query(`select 1 from tele_tan where hash = sha256(convert_to($1, 'UTF8'))`, [key]);
  expect(rows).toEqual([]);
});

test('S 2.8: a token is stored as SHA-256 of its text', async () => {
  const { registerGuid, pool } = await openService();
  const token = await registerGuid(aGuid(1));
  const { rowCount } = await pool.query(`select 1 from session where token_hash = sha256(convert_to($1, 'UTF8'))`, [
    token,
  ]);
  expect(rowCount).toBe(1);
});

test('decision 16: wrong teleTANs are counted in the database and a high failure ratio raises the alarm', async () => {
  const { register, issueTeleTan, lines, securityEvents, watch, clock, pool } = await openService();
  await register(teleTan((await issueTeleTan()) as string));
  await register(...new Array(29).fill(teleTan('9A3B578UMG')));
  await register(teleTan('bad form'), guid('bad'));
  await watch();
  expect(lines.join()).not.toContain('tele-tan-failure-ratio-high');
  await register(teleTan('9A3B578UMG'));
  const { rows } = await pool.query(
    'select sum(succeeded)::int as succeeded, sum(failed)::int as failed from tele_tan_attempt',
  );
  expect(rows).toEqual([{ succeeded: 1, failed: 30 }]);
  await watch();
  expect(lines.join()).toContain('tele-tan-failure-ratio-high');
  expect(securityEvents).toEqual([{ type: 'guessing-alarm', target: 'tele-tan' }]);
  const before = lines.length;
  clock.advance(11 * 60_000);
  await watch();
  expect(lines).toHaveLength(before);
});

test('S 7.1: a flood of registrations raises the alarm', async () => {
  const { register, watch, lines, securityEvents, clock } = await openService({ registrationAlarmCount: 5 });
  await register(...[1, 2, 3, 4].map((n) => guid(aGuid(n))));
  await watch();
  expect(lines).toEqual([]);
  await register(guid(aGuid(5)));
  await watch();
  expect(lines.join()).toContain('registration-rate-high');
  expect(securityEvents).toEqual([{ type: 'guessing-alarm', target: 'registration' }]);
  clock.advance(10 * 60_000);
  await watch();
  expect(lines).toHaveLength(1);
});

test('S row 65: the purge at 21 days ends the token and keeps the GUID registered until day 60', async () => {
  const { registerGuid, getResults, clock, deleteExpired, rowCount } = await openService();
  const token = await registerGuid(aGuid(1), aDob(1));
  clock.advance(21 * dayMs - 1);
  await deleteExpired();
  expect(await getResults(token)).toMatchObject([{ code: 0 }]);
  clock.advance(1);
  // Past its time counts, purged or not.
  expect(await getResults(token)).toEqual([1]);
  await deleteExpired();
  expect(await rowCount('session')).toBe(0);
  expect(await registerGuid(aGuid(1))).toBe(ALREADY_REGISTERED);
  expect(await registerGuid(aGuid(2), aDob(1))).toBe(ALREADY_REGISTERED);
  clock.advance(39 * dayMs - 1);
  await deleteExpired();
  expect(await registerGuid(aGuid(1))).toBe(ALREADY_REGISTERED);
  clock.advance(1);
  await deleteExpired();
  expect(await registerGuid(aGuid(1))).toMatch(UUID_PATTERN);
});
