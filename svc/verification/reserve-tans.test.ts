import { expect, test } from 'vitest';
import { TeleTanType } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import {
  ALREADY_CONFIRMED,
  aPositivePhone,
  dayMs,
  hourMs,
  keys,
  openService,
  REFUSED,
  RESERVED,
  RESERVED_FOR_OTHER_KEYS,
  type Service,
  start,
} from './fixtures/open-service.ts';

async function anEventTan(service: Service, type: TeleTanType = TeleTanType.TELE_TAN_TYPE_EVENT): Promise<string> {
  const token = await service.registerTeleTan((await service.issueTeleTan(type)) as string);
  return (await service.issue(token))[0] as string;
}

test.each([
  ['alone', 1],
  ['in lists of 20', 20],
])(
  'S row 51: 1,000 parallel reservations of one TAN for different keys, %s: exactly one gets it',
  async (_how, size) => {
    const service = await openService();
    for (let round = 0; round < 3; round++) {
      const { tan } = await aPositivePhone(service, round);
      const claim = (n: number) => ({ tan, keysHash: keys(n), event: false });
      const lists = Array.from({ length: 1_000 / size }, (_, n) =>
        Array.from({ length: size }, (__, i) => claim(n * size + i)),
      );
      const outcomes = (await Promise.all(lists.map((list) => service.reserveAll(...list)))).flat();
      expect(outcomes.filter(({ status }) => status === RESERVED)).toHaveLength(1);
      expect(outcomes.filter(({ status }) => status === RESERVED_FOR_OTHER_KEYS)).toHaveLength(999);
      expect(new Set(outcomes.map(({ reservationId }) => reservationId)).size).toBe(1);
    }
  },
);

test('S row 51: parallel reservations for the same keys all get the same reservation', async () => {
  const service = await openService();
  const { tan } = await aPositivePhone(service, 1);
  const outcomes = await Promise.all(Array.from({ length: 200 }, () => service.reserve(tan, keys(1))));
  expect(new Set(outcomes.map(({ status, reservationId }) => `${status} ${reservationId}`)).size).toBe(1);
  expect(outcomes[0]?.reservationId).toMatch(UUID_PATTERN);
});

test('parallel lists of the same TANs in any order all end', async () => {
  const service = await openService();
  const tans: string[] = [];
  for (let n = 0; n < 50; n++) tans.push((await aPositivePhone(service, n)).tan);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      service.reserveAll(
        ...(n % 2 ? tans : tans.toReversed()).map((tan) => ({ tan, keysHash: keys(n), event: false })),
      ),
    ),
  );
  expect(outcomes.flat().filter(({ status }) => status === RESERVED)).toHaveLength(50);
  expect(outcomes.flat().filter(({ status }) => status === RESERVED_FOR_OTHER_KEYS)).toHaveLength(950);
});

test('S row 52: a TAN is refused after 14 days and 1 second, and taken one second before', async () => {
  const service = await openService();
  const first = await aPositivePhone(service, 1);
  const second = await aPositivePhone(service, 2);
  service.clock.set(start + 14 * dayMs - 1_000);
  expect(await service.reserve(first.tan, keys(1))).toMatchObject({ status: RESERVED });
  service.clock.advance(2_000);
  expect(await service.reserve(second.tan, keys(1))).toEqual({ status: REFUSED, reservationId: '' });
});

test('what was reserved in time stays reserved for the same keys when the TAN has expired', async () => {
  const service = await openService();
  const { tan } = await aPositivePhone(service, 1);
  const reserved = await service.reserve(tan, keys(1));
  service.clock.advance(15 * dayMs);
  expect(await service.reserve(tan, keys(1))).toEqual(reserved);
  expect(await service.reserve(tan, keys(2))).toEqual({ ...reserved, status: RESERVED_FOR_OTHER_KEYS });
  await service.release(reserved.reservationId);
  expect(await service.reserve(tan, keys(1))).toMatchObject({ status: REFUSED });
});

test('S row 8: a malformed or version 1 TAN is refused without the database', async () => {
  const { reserveAll, deps, pool } = await openService();
  let queries = 0;
  Object.assign(deps, { pool: { ...pool, query: () => (queries += 1), withConnection: () => (queries += 1) } });
  const tans = ['', 'nonsense', '1ea6ce8a-9740-11ea-bb37-0242ac130002', '1ea6ce8a-9740-41ea-bb37-0242ac13000'];
  const outcomes = await reserveAll(...tans.map((tan) => ({ tan, keysHash: keys(1), event: false })));
  expect(outcomes.map(({ status }) => status)).toEqual(tans.map(() => REFUSED));
  expect(queries).toBe(0);
});

test('an unknown TAN is refused; a TAN in other letter case is the same one', async () => {
  const service = await openService();
  const { tan } = await aPositivePhone(service, 1);
  expect(await service.reserve('1ea6ce8a-9740-41ea-bb37-0242ac130002', keys(1))).toMatchObject({ status: REFUSED });
  expect(await service.reserve(tan.toUpperCase(), keys(1))).toMatchObject({ status: RESERVED });
});

test('a keys hash that is none is a fault of the caller', async () => {
  const { reserve } = await openService();
  const answer = reserve('1ea6ce8a-9740-41ea-bb37-0242ac130002', Buffer.alloc(31));
  await expect(answer).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('S row 32: an EVENT TAN on the ordinary route is refused and stays valid on the organiser’s', async () => {
  const service = await openService();
  const tan = await anEventTan(service);
  expect(await service.reserve(tan, keys(1))).toEqual({ status: REFUSED, reservationId: '' });
  expect(await service.reserve(tan, keys(1), true)).toMatchObject({ status: RESERVED });
  expect(await service.reserve(tan, keys(1))).toEqual({ status: REFUSED, reservationId: '' });
});

test('S row 34: a TEST TAN and a lab TAN are refused on the organiser’s route, untouched', async () => {
  const service = await openService();
  const tans = [await anEventTan(service, TeleTanType.TELE_TAN_TYPE_TEST), (await aPositivePhone(service, 1)).tan];
  for (const tan of tans) {
    expect(await service.reserve(tan, keys(1), true)).toMatchObject({ status: REFUSED });
    expect(await service.reserve(tan, keys(1))).toMatchObject({ status: RESERVED });
  }
});

test('two claims of one TAN in one list: the first of the right type gets it', async () => {
  const service = await openService();
  const { tan } = await aPositivePhone(service, 1);
  const [wrongType, won, other, same] = await service.reserveAll(
    { tan, keysHash: keys(1), event: true },
    { tan, keysHash: keys(2), event: false },
    { tan, keysHash: keys(3), event: false },
    { tan, keysHash: keys(2), event: false },
  );
  expect(wrongType).toEqual({ status: REFUSED, reservationId: '' });
  expect(won?.status).toBe(RESERVED);
  expect(other).toEqual({ status: RESERVED_FOR_OTHER_KEYS, reservationId: won?.reservationId });
  expect(same).toEqual(won);
});

test('S rows 26, 27: confirmed for the same keys is recognised for 24 h, other keys or a later time are refused', async () => {
  const service = await openService();
  const { tan } = await aPositivePhone(service, 1);
  const { reservationId } = await service.reserve(tan, keys(1));
  await service.confirm(reservationId);
  expect(await service.reserve(tan, keys(1))).toEqual({ status: ALREADY_CONFIRMED, reservationId: '' });
  expect(await service.reserve(tan, keys(2))).toEqual({ status: REFUSED, reservationId: '' });
  service.clock.advance(24 * hourMs - 1);
  expect(await service.reserve(tan, keys(1))).toMatchObject({ status: ALREADY_CONFIRMED });
  service.clock.advance(1);
  expect(await service.reserve(tan, keys(1))).toMatchObject({ status: REFUSED });
});

test('confirming deletes the TAN, counts it once however often it comes, and leaves hashes only', async () => {
  const service = await openService();
  const { tan } = await aPositivePhone(service, 1);
  const { reservationId } = await service.reserve(tan, keys(1));
  await Promise.all(Array.from({ length: 10 }, () => service.confirm(reservationId, reservationId)));
  await service.confirm(reservationId, '1ea6ce8a-9740-41ea-bb37-0242ac130002');
  const { rows } = await service.pool.query('select redeemed_tans as n from session');
  expect(rows).toEqual([{ n: 1 }]);
  expect([await service.rowCount('tan'), await service.rowCount('tan_tombstone')]).toEqual([0, 1]);
  const stones = await service.pool.query('select t::text as text from tan_tombstone t');
  expect(JSON.stringify(stones.rows)).not.toContain(tan);
});

test('releasing gives only the current reservation back', async () => {
  const service = await openService();
  const { tan } = await aPositivePhone(service, 1);
  const old = await service.reserve(tan, keys(1));
  await service.release(old.reservationId, old.reservationId);
  const current = await service.reserve(tan, keys(2));
  expect(current.status).toBe(RESERVED);
  expect(current.reservationId).not.toBe(old.reservationId);
  await service.release(old.reservationId);
  expect(await service.reserve(tan, keys(3))).toEqual({ ...current, status: RESERVED_FOR_OTHER_KEYS });
  await service.confirm(current.reservationId);
  await service.release(current.reservationId);
  expect(await service.reserve(tan, keys(3))).toMatchObject({ status: REFUSED });
});

test('a released TAN whose session got a newer one is gone: one TAN at a time', async () => {
  const service = await openService();
  const { token, tan: old } = await aPositivePhone(service, 1);
  const { reservationId } = await service.reserve(old, keys(1));
  const [newer] = await service.issue(token);
  await service.release(reservationId);
  expect(await service.reserve(old, keys(2))).toMatchObject({ status: REFUSED });
  expect(await service.reserve(newer as string, keys(2))).toMatchObject({ status: RESERVED });
});

test('a malformed reservation id is a fault of the caller', async () => {
  const { confirm, release } = await openService();
  await expect(confirm('x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(release('x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('a list that PostgreSQL refuses as a whole is handled item by item', async () => {
  const service = await openService();
  const { deps, pool, reserveAll, confirm, lines } = service;
  const [first, second] = [await aPositivePhone(service, 1), await aPositivePhone(service, 2)];
  const refusing = async (text: string, values: readonly unknown[] = []) => {
    const [ids] = values as [unknown[]];
    if (ids.length > 1) throw Object.assign(new Error('planned'), { code: '40P01' });
    return pool.query(text, values);
  };
  Object.assign(deps, { pool: { ...pool, query: refusing } });
  const outcomes = await reserveAll(
    { tan: first.tan, keysHash: keys(1), event: false },
    { tan: second.tan, keysHash: keys(2), event: false },
  );
  expect(outcomes.map(({ status }) => status)).toEqual([RESERVED, RESERVED]);
  await confirm(...outcomes.map(({ reservationId }) => reservationId));
  expect(await service.rowCount('tan_tombstone')).toBe(2);
  expect(lines.join()).toContain('list-handled-item-by-item');
});
