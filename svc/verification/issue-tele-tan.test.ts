import { expect, test } from 'vitest';
import { TeleTanType } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { isTeleTan } from '../../lib/exposure/token-format.ts';
import { aPositivePhone, dayMs, hourMs, keys, openService, start } from './fixtures/open-service.ts';

const { TELE_TAN_TYPE_TEST: TEST, TELE_TAN_TYPE_EVENT: EVENT } = TeleTanType;

test('S row 46: an issued teleTAN has nine characters of the alphabet and its check character', async () => {
  const { issueTeleTan } = await openService();
  for (let i = 0; i < 50; i++) expect(isTeleTan((await issueTeleTan(i % 2 ? TEST : EVENT)) as string)).toBe(true);
});

test('S row 57: a teleTAN of no type is INVALID_ARGUMENT', async () => {
  const { issueTeleTan } = await openService();
  await expect(issueTeleTan(TeleTanType.TELE_TAN_TYPE_UNSPECIFIED)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(issueTeleTan(7 as TeleTanType)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
});

test('S row 58: 1,000 teleTANs in an hour, the 1,001st is refused, a warning at 800; exact under concurrency', async () => {
  const { issueTeleTan, rowCount, lines, clock } = await openService();
  const issue = (n: number) => Promise.all(Array.from({ length: n }, () => issueTeleTan()));
  await issue(799);
  expect(lines.join()).not.toContain('tele-tan-limit-near');
  await issueTeleTan();
  expect(lines.join()).toContain('tele-tan-limit-near');
  const outcomes = await issue(300);
  expect(outcomes.filter((outcome) => typeof outcome === 'string')).toHaveLength(200);
  expect(outcomes.filter((outcome) => outcome === true)).toHaveLength(100);
  expect(await rowCount('tele_tan')).toBe(1_000);
  clock.advance(hourMs - 1);
  expect(await issueTeleTan()).toBe(true);
  clock.advance(1);
  expect(isTeleTan((await issueTeleTan()) as string)).toBe(true);
});

test('a drawn teleTAN that is stored already is drawn again', async () => {
  const { issueTeleTan, deps, rowCount } = await openService();
  const draws = [...new Array(18).fill(0), ...new Array(9).fill(1)];
  Object.assign(deps, { random: { ...deps.random, int: () => draws.shift() } });
  const first = (await issueTeleTan()) as string;
  const second = (await issueTeleTan()) as string;
  expect([first.slice(0, 9), second.slice(0, 9)]).toEqual(['222222222', '333333333']);
  expect(await rowCount('tele_tan')).toBe(2);
});

test('retention: every table is empty once its time is over, and keeps its rows until then', async () => {
  const service = await openService();
  const { clock, deleteExpired, rowCount } = service;
  const at = async (ms: number) => {
    clock.set(start + ms);
    await deleteExpired();
  };
  const { tan } = await aPositivePhone(service, 1);
  await service.confirm((await service.reserve(tan, keys(1))).reservationId);
  await aPositivePhone(service, 2);
  await service.issueTeleTan(TEST);
  await service.registerTeleTan((await service.issueTeleTan(EVENT)) as string);

  const expectAt = async (ms: number, table: string, rowsBefore: number, rowsAfter: number) => {
    await at(ms - 1);
    expect([ms - 1, table, await rowCount(table)]).toEqual([ms - 1, table, rowsBefore]);
    await at(ms);
    expect([ms, table, await rowCount(table)]).toEqual([ms, table, rowsAfter]);
  };
  await expectAt(hourMs, 'tele_tan', 2, 1);
  await expectAt(24 * hourMs, 'tan_tombstone', 1, 0);
  expect(await rowCount('tele_tan_attempt')).toBe(0);
  await expectAt(48 * hourMs, 'tele_tan', 1, 0);
  await at(21 * dayMs - 1);
  expect([await rowCount('session'), await rowCount('tan')]).toEqual([3, 1]);
  await at(21 * dayMs);
  expect([await rowCount('session'), await rowCount('tan')]).toEqual([0, 0]);
  await expectAt(60 * dayMs, 'registered_hash', 2, 0);
});

test('retention goes through more rows than fit one transaction, however many processes try', async () => {
  const { pool, deleteExpired, clock, rowCount } = await openService();
  await pool.query(
    `insert into registered_hash select sha256(convert_to(n::text, 'UTF8')), $1 from generate_series(1, 12000) n`,
    [clock.now()],
  );
  clock.advance(60 * dayMs);
  await Promise.all([deleteExpired(), deleteExpired(), deleteExpired()]);
  expect(await rowCount('registered_hash')).toBe(0);
});
