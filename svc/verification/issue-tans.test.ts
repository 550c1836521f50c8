import { expect, test } from 'vitest';
import { IssueTanRefusal, TeleTanType } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import {
  aDob,
  aGuid,
  aPositivePhone,
  dayMs,
  isToken,
  keys,
  openService,
  REFUSED,
  RESERVED,
  start,
} from './fixtures/open-service.ts';

const {
  ISSUE_TAN_REFUSAL_UNKNOWN_TOKEN: UNKNOWN_TOKEN,
  ISSUE_TAN_REFUSAL_NOT_POSITIVE: NOT_POSITIVE,
  ISSUE_TAN_REFUSAL_LIMIT_REACHED: LIMIT_REACHED,
  ISSUE_TAN_REFUSAL_UNAVAILABLE: UNAVAILABLE,
} = IssueTanRefusal;

test('S row 49: a TAN for 2 and 7, none for 0, 1, 3, 4, 5, 6, 8, 9 or no result', async () => {
  const { registerGuid, issue, results, rowCount } = await openService();
  const tokens: string[] = [];
  for (let code = 0; code <= 9; code++) {
    tokens.push(await registerGuid(aGuid(code)));
    results.set(aGuid(code), { code, sampleCollectedAt: 1 });
  }
  tokens.push(await registerGuid(aGuid('none')));
  const outcomes = await issue(...tokens);
  outcomes.forEach((outcome, code) => {
    if (code === 2 || code === 7) expect(outcome).toMatch(UUID_PATTERN);
    else expect(outcome).toBe(NOT_POSITIVE);
  });
  expect(await rowCount('tan')).toBe(2);
});

test('S 2.4: a phone registered with date of birth gets its TAN by the plain hash; the other one is not asked for', async () => {
  const { registerGuid, issue, results, testResult } = await openService();
  const token = await registerGuid(aGuid(1), aDob(1));
  results.set(aGuid(1), { code: 2, sampleCollectedAt: 1 });
  results.set(aDob(1), { code: 1, sampleCollectedAt: 1 });
  expect(await issue(token)).toEqual([expect.stringMatching(UUID_PATTERN)]);
  expect(testResult.ids).toEqual([aGuid(1)]);
});

test('S 2.4: the result is asked for anew for every TAN', async () => {
  const service = await openService();
  const { token, tan } = await aPositivePhone(service, 1);
  expect(tan).toMatch(UUID_PATTERN);
  service.results.set(aGuid(1), { code: 4, sampleCollectedAt: 1 });
  expect(await service.issue(token)).toEqual([NOT_POSITIVE]);
  expect(service.testResult.calls).toBe(2);
});

test('S row 50: a re-request without redemption replaces the old TAN', async () => {
  const service = await openService();
  const { token, tan: old } = await aPositivePhone(service, 1);
  const [tan] = await service.issue(token);
  expect(await service.reserve(old, keys(1))).toMatchObject({ status: REFUSED });
  expect(await service.reserve(tan as string, keys(1))).toMatchObject({ status: RESERVED });
  expect(await service.rowCount('tan')).toBe(1);
});

test('S row 50: the third request after two redeemed TANs is refused', async () => {
  const service = await openService();
  const { token, tan } = await aPositivePhone(service, 1);
  await service.confirm((await service.reserve(tan, keys(1))).reservationId);
  const [second] = await service.issue(token);
  await service.confirm((await service.reserve(second as string, keys(2))).reservationId);
  expect(await service.issue(token)).toEqual([LIMIT_REACHED]);
});

test('S row 50: a reserved TAN counts as redeemed and is not replaced, a released one no longer counts', async () => {
  const service = await openService({ maxRedeemedTans: 1 });
  const { token, tan } = await aPositivePhone(service, 1);
  const { reservationId } = await service.reserve(tan, keys(1));
  expect(await service.issue(token)).toEqual([LIMIT_REACHED]);
  await service.release(reservationId);
  const [next] = await service.issue(token);
  expect(next).toMatch(UUID_PATTERN);
  expect(await service.reserve(tan, keys(1))).toMatchObject({ status: REFUSED });
});

test('a phone that asks twice in one list gets one TAN', async () => {
  const service = await openService();
  const { token } = await aPositivePhone(service, 1);
  const [first, second] = await service.issue(token, token);
  expect(first).toMatch(UUID_PATTERN);
  expect(second).toBe(first);
  expect(await service.rowCount('tan')).toBe(1);
});

test('parallel requests of one session leave exactly one TAN that can be spent', async () => {
  const service = await openService();
  const { token } = await aPositivePhone(service, 1);
  const tans = (await Promise.all(Array.from({ length: 100 }, () => service.issue(token)))).flat();
  expect(tans.every(isToken)).toBe(true);
  const reserved = await service.reserveAll(
    ...tans.map((tan) => ({ tan: tan as string, keysHash: keys(1), event: false })),
  );
  expect(reserved.filter(({ status }) => status === RESERVED)).toHaveLength(1);
  expect(await service.rowCount('tan')).toBe(1);
});

test('requests, uploads and releases of the same sessions at once all end, and no session exceeds its limit', async () => {
  const service = await openService();
  const phones: string[] = [];
  for (let n = 0; n < 10; n++) phones.push((await aPositivePhone(service, n)).token);
  const upload = async (n: number) => {
    const tans = await service.issue(...(n % 2 ? phones : phones.toReversed()));
    const claims = tans
      .filter((tan) => typeof tan === 'string')
      .map((tan) => ({ tan, keysHash: keys(n), event: false }));
    const ids = (await service.reserveAll(...claims))
      .filter(({ status }) => status === RESERVED)
      .map((o) => o.reservationId);
    const half = ids.length / 2;
    await Promise.all([service.confirm(...ids.slice(0, half)), service.release(...ids.slice(half))]);
  };
  await Promise.all(Array.from({ length: 30 }, (_, n) => upload(n)));
  const { rows } = await service.pool.query<{ redeemed: number; open: number; reserved: number }>(
    `select s.redeemed_tans as redeemed, count(t.hash) filter (where t.reservation_id is null) as open,
       count(t.hash) filter (where t.reservation_id is not null) as reserved
     from session s left join tan t on t.session_id = s.id group by s.id`,
  );
  expect(rows).toHaveLength(10);
  for (const { redeemed, open, reserved } of rows) {
    expect(redeemed + reserved).toBeLessThanOrEqual(2);
    expect(open).toBeLessThanOrEqual(1);
  }
  expect(await service.rowCount('tan_tombstone')).toBe(rows.reduce((sum, { redeemed }) => sum + redeemed, 0));
});

test('when test-result does not answer, phones with a GUID are told so, teleTAN sessions get their TAN', async () => {
  const service = await openService();
  const token = await service.registerGuid(aGuid(1));
  const teleTan = await service.registerTeleTan((await service.issueTeleTan()) as string);
  service.testResult.up = false;
  const [guidOutcome, teleTanOutcome, unknown] = await service.issue(
    token,
    teleTan,
    '63b4d3ff-e0de-4bd4-90c1-17c2bb683a2f',
  );
  expect(guidOutcome).toBe(UNAVAILABLE);
  expect(teleTanOutcome).toMatch(UUID_PATTERN);
  expect(unknown).toBe(UNKNOWN_TOKEN);
});

test('no TAN once the session is past its 21 days', async () => {
  const service = await openService();
  const token = await service.registerTeleTan((await service.issueTeleTan(TeleTanType.TELE_TAN_TYPE_EVENT)) as string);
  service.clock.set(start + 21 * dayMs);
  expect(await service.issue(token)).toEqual([UNKNOWN_TOKEN]);
});

test('S row 69: neither tokens nor TANs nor hashes appear in the log', async () => {
  const service = await openService();
  const { token, tan } = await aPositivePhone(service, 1);
  service.testResult.up = false;
  await service.issue(token);
  await service.reserve(tan, keys(1));
  const log = service.lines.join();
  for (const secret of [token, tan, aGuid(1)]) expect(log).not.toContain(secret);
});
