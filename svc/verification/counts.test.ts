import { expect, test } from 'vitest';
import { TeleTanType } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { Call } from '../../lib/rpc/api.ts';
import { aCall } from '../../lib/testing/call.ts';
import { confirmTans } from './confirm-tans.ts';
import { aGuid, aPositivePhone, dayMs, guid, hourMs, keys, openService, teleTan } from './fixtures/open-service.ts';
import { issueTans } from './issue-tans.ts';
import { issueTeleTan } from './issue-tele-tan.ts';
import { registerTokens } from './register-tokens.ts';
import { watchTeleTanLimit } from './tele-tan-limit.ts';

const five = [0, 1, 2, 3, 4];
const fifty = Array.from({ length: 50 }, (_, i) => i);
const synthetic: Call = { ...aCall(), synthetic: true };

test('TANs are counted when issued, used and expired, each once, as echoes of uploads', async () => {
  const service = await openService();
  const tans = (outcome: string) => service.metrics.seen('cwa.verification.tans', { 'cwa.outcome': outcome });
  const phones = await Promise.all(Array.from({ length: 102 }, (_, i) => aPositivePhone(service, i)));
  expect(await tans('issued')).toBe(100);

  const reserved = await Promise.all(phones.slice(0, 51).map(({ tan }, i) => service.reserve(tan, keys(i))));
  const ids = reserved.map(({ reservationId }) => reservationId);
  await service.confirm(...ids);
  await service.confirm(...ids);
  expect(await tans('used')).toBe(50);

  service.clock.advance(22 * dayMs);
  await service.deleteExpired();
  await service.deleteExpired();
  expect(await tans('expired'), '51 were never used').toBe(50);
});

test('teleTANs are counted when issued, used and expired', async () => {
  const service = await openService();
  const teleTans = (outcome: string) => service.metrics.seen('cwa.verification.tele_tans', { 'cwa.outcome': outcome });
  const issued: string[] = [];
  for (let i = 0; i < 101; i++) issued.push((await service.issueTeleTan()) as string);
  for (const one of issued.slice(0, 50)) await service.registerTeleTan(one);
  await service.registerTeleTan(issued[0] as string);
  expect([await teleTans('issued'), await teleTans('used')]).toEqual([100, 50]);
  service.clock.advance(3 * hourMs);
  await service.deleteExpired();
  expect(await teleTans('expired'), '51 were never used').toBe(50);
});

test('registrations are counted by what was registered and whether it was had', async () => {
  const service = await openService();
  const seen = (type: string, outcome: string) =>
    service.metrics.seen('cwa.verification.registrations', { 'cwa.key.type': type, 'cwa.outcome': outcome });
  for (const i of five) await service.register(guid(aGuid(i)), guid(aGuid(i)), teleTan('R3ZNUEV9JA'));
  expect(await seen('guid', 'registered')).toBe(5);
  expect(await seen('guid', 'refused')).toBe(5);
  expect(await seen('tele-tan', 'registered')).toBe(0);
  expect(await seen('tele-tan', 'refused')).toBe(5);
});

test('what the prober does is counted nowhere', async () => {
  const service = await openService();
  const { deps } = service;
  for (const i of fifty) {
    service.results.set(aGuid(i), { code: 2, sampleCollectedAt: 1 });
    const issuedTeleTan = await issueTeleTan(deps)({ type: TeleTanType.TELE_TAN_TYPE_TEST }, synthetic);
    const registrations = [guid(aGuid(i)), teleTan(String(issuedTeleTan.outcome?.value))];
    const { outcomes } = await registerTokens(deps)({ registrations }, synthetic);
    const token = String(outcomes[0]?.outcome?.value);
    const { outcomes: tans } = await issueTans(deps)({ registrationTokens: [token] }, synthetic);
    const { reservationId } = await service.reserve(String(tans[0]?.outcome?.value), keys(i));
    await confirmTans(deps)({ reservationIds: [reservationId] }, synthetic);
  }
  for (const name of ['registrations', 'tans', 'tele_tans'] as const) {
    expect(await service.metrics.seen(`cwa.verification.${name}`), name).toBe(0);
  }
});

test('the share of the teleTAN limit that is used up comes from the database', async () => {
  const service = await openService({ teleTansPerHour: 40 });
  watchTeleTanLimit(service.deps);
  const share = () => service.metrics.seen('cwa.cap.utilization', { 'cwa.cap': 'tele-tans' });
  for (let i = 0; i < 4; i++) await service.issueTeleTan();
  expect(await share(), 'four are not seen').toBe(0);
  for (let i = 0; i < 6; i++) await service.issueTeleTan();
  expect(await share()).toBe(0.25);
  service.clock.advance(hourMs);
  expect(await share()).toBe(0);
});
