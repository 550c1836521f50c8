import { afterEach, expect, test } from 'vitest';
import type { SecurityEvent } from '../lib/telemetry/security.ts';
import { fakeClock } from '../lib/testing/clock.ts';
import { recordingLog } from '../lib/testing/rpc.ts';
import { recordedMetrics } from '../lib/testing/telemetry.ts';
import { type Clock, systemClock } from '../lib/time/clock.ts';
import { edgeAlarms } from './alarms.ts';
import type { Schedule } from './answer-schedule.ts';
import { heldSchedule } from './fixtures/held-schedule.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { phoneRequests } from './fixtures/phone-requests.ts';
import { startGateway } from './fixtures/start-gateway.ts';

/** What operators and the security operations centre learn of the edge. */
type Gateway = Awaited<ReturnType<typeof startGateway>>;
const open: Gateway[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((gateway) => gateway.close()));
});

async function observed(env: Record<string, string> = {}, more: { clock?: Clock; schedule?: Schedule } = {}) {
  const metrics = recordedMetrics('gateway');
  const events: SecurityEvent[] = [];
  const log = recordingLog();
  const security = { report: (event: SecurityEvent) => void events.push(event) };
  const gateway = await startGateway({ env, metrics, security, log, ...more });
  open.push(gateway);
  const lab = (identity: string) => openHttp1({ port: gateway.labPort, ca: gateway.ca, ...gateway.identity(identity) });
  const phone = () => openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  const cap = (name: string) => metrics.seen('cwa.cap.utilization', { 'cwa.cap': name });
  return { ...gateway, metrics, events, log, lab, phone, cap };
}

const id = 'a'.repeat(64);
const list = (path: string, testResults: unknown[], labId?: string): Sent => ({
  path,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ testResults, ...(labId === undefined ? {} : { labId }) }),
});
const many = (n: number, row: object) => Array.from({ length: n }, () => ({ id, result: 6, ...row }));

test('a delivery counts under the name of its partner, result by result, and is told as one event', async () => {
  const { lab, metrics, log, deps } = await observed();
  const client = await lab('lab');
  const sc = Math.floor(deps.clock.nowMs() / 1_000) - 5_400;
  await client.send(list('/api/v1/quicktest/results', [...many(7, { sc }), ...many(5, {})]));
  await client.send(list('/api/v1/quicktest/results', many(6, { result: 99 })));
  await client.send({ ...list('/api/v1/quicktest/results', []), body: 'no json' });
  client.close();

  const partner = { 'cwa.partner': 'lab' };
  const seen = (name: Parameters<typeof metrics.seen>[0], more = {}) => metrics.seen(name, { ...partner, ...more });
  expect(await seen('cwa.lab.requests', { 'cwa.outcome': 'answered' })).toBe(1);
  expect(await seen('cwa.lab.requests', { 'cwa.outcome': 'refused' })).toBe(2);
  expect(await seen('cwa.lab.results', { 'cwa.outcome': 'stored' })).toBe(10);
  expect(await seen('cwa.lab.results', { 'cwa.outcome': 'refused' })).toBe(5);
  expect(await seen('cwa.lab.refusals', { 'cwa.reason': 'invalid-result' })).toBe(5);
  expect(await seen('cwa.lab.result.delay'), 'those that say when the sample was taken').toBe(5);
  expect(log.lines.filter(({ event }) => event === 'lab-results-delivered')).toEqual([
    { level: 'info', event: 'lab-results-delivered', partner: 'lab', count: 12, stored: 12, unchanged: 0, refused: 0 },
    { level: 'info', event: 'lab-results-delivered', partner: 'lab', count: 6, stored: 0, unchanged: 0, refused: 6 },
  ]);
});

test('refused partners and changed partner lists are security events; a flood of one kind is one event', async () => {
  const { lab, events, writePartners, partnerList } = await observed();
  const stranger = await lab('stranger');
  for (let i = 0; i < 3; i++) await stranger.send(list('/api/v1/lab/results', many(1, {})));
  stranger.close();
  const small = await lab('small');
  await small.send(list('/api/v1/lab/results', many(1, {})));
  await small.send(list('/api/v1/quicktest/results', many(1, {}), 'lab-2'));
  const lookUp = JSON.stringify({ family: 'TEST_FAMILY_POC_NAT', id });
  const headers = { 'content-type': 'application/json' };
  await small.send({ path: '/cwa.lab.v1.LabService/LookUpResult', headers, body: lookUp });
  small.close();
  writePartners(partnerList.slice(0, 1));
  await expect.poll(() => events.length).toBe(4);
  expect(events).toEqual([
    { type: 'partner-refused', reason: 'unlisted' },
    { type: 'partner-refused', reason: 'route', partner: 'small' },
    { type: 'partner-refused', reason: 'lab-id', partner: 'small' },
    { type: 'configuration-changed', what: 'partners' },
  ]);
});

test('each alarm is raised at most once a minute', () => {
  const events: SecurityEvent[] = [];
  const clock = fakeClock(0);
  const alarms = edgeAlarms({ report: (event) => void events.push(event) }, clock);
  const flood = () => {
    for (let i = 0; i < 5; i++) {
      alarms.overload('upload');
      alarms.overload('download');
    }
  };
  flood();
  clock.advance(59_999);
  flood();
  expect(events).toEqual([
    { type: 'overload', route: 'upload' },
    { type: 'overload', route: 'download' },
  ]);
  clock.advance(1);
  flood();
  expect(events).toHaveLength(4);
});

test('limits of requests show how much of them is used, and overload is an event', async () => {
  let nowMs = 0;
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const { phone, cap, events } = await observed({ GATEWAY_MAX_TANS_PER_SECOND: '20' }, { clock });
  const tan = phoneRequests['tan']?.real as Sent;
  const client = await phone();
  for (let i = 0; i < 4; i++) await client.send(tan);
  expect(await cap('rate-tan'), 'four are not seen').toBe(0);
  nowMs += 1_000;
  for (let i = 0; i < 30; i++) await client.send(tan);
  client.close();
  expect(await cap('rate-tan')).toBeGreaterThanOrEqual(1);
  expect(await cap('rate-upload')).toBe(0);
  expect(await cap('rate-tan'), 'forgotten with its minute').toBe(0);
  expect(events).toEqual([{ type: 'overload', route: 'tan' }]);
});

test('connections use their limit up from their first octet to their end, and refusing them is an event', async () => {
  const { phone, cap, events } = await observed({ GATEWAY_MAX_CONNECTIONS: '10' });
  const clients = await Promise.all(Array.from({ length: 10 }, phone));
  expect(await cap('phone-connections')).toBe(1);
  await expect(phone()).rejects.toThrow();
  for (const client of clients) client.close();
  expect(events).toEqual([{ type: 'overload', route: 'connection' }]);
  await expect
    .poll(async () => {
      const one = await phone();
      one.close();
      await new Promise((done) => setTimeout(done, 50));
      return cap('phone-connections');
    })
    .toBe(0);
});

test('requests in hand use their limit up', async () => {
  const schedule = heldSchedule();
  const { phone, cap } = await observed({ GATEWAY_MAX_PHONE_REQUESTS: '20' }, { schedule });
  const registration = phoneRequests['registrationToken']?.fake as Sent;
  const clients = await Promise.all(Array.from({ length: 15 }, phone));
  const answers = clients.map((client) => client.send(registration));
  await expect.poll(() => schedule.waiting).toBe(15);
  schedule.letGo();
  await Promise.all(answers);
  for (const client of clients) client.close();
  expect(await cap('phone-requests')).toBe(0.75);
});

test('partners at once use up the limit of theirs', async () => {
  const { lab, cap } = await observed({ GATEWAY_MAX_PARTNER_REQUESTS: '4' });
  const client = await lab('lab');
  await client.send(list('/api/v1/lab/results', [{ id, result: 1 }]));
  client.close();
  expect(await cap('partner-requests')).toBe(0.25);
});

test('downloads are counted by what was asked for and what came of it', async () => {
  const { phone, metrics, store } = await observed();
  const day = 'version/v1/diagnosis-keys/country/DE/date/2026-11-25';
  await store.put(day, Buffer.from('zip'), { contentType: 'application/zip', cacheControl: 'max-age=1' });
  const client = await phone();
  const get = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
    client.send({ path: `/${path}`, method, headers });
  for (let i = 0; i < 5; i++) {
    const { headers } = await get(day);
    await get(day, { 'if-none-match': String(headers['etag']) });
    await get(`${day}/hour/3`);
    await get(day, {}, 'PUT');
  }
  client.close();
  const seen = (artifact: string, outcome: string) =>
    metrics.seen('cwa.gateway.downloads', { 'cwa.artifact': artifact, 'cwa.outcome': outcome });
  expect([await seen('day', 'sent'), await seen('day', 'unchanged'), await seen('hour', 'missing')]).toEqual([5, 5, 5]);
  expect(await metrics.seen('cwa.gateway.downloads'), 'a wrong verb asks for nothing').toBe(15);
});

test('the share of fakes is that of the last full hour, of those that were not shed, and nothing before', async () => {
  const hourMs = 3_600_000;
  // It stands, lest the hour turn while requests come.
  let nowMs = 472_222 * hourMs;
  const clock = { ...systemClock, nowMs: () => nowMs, now: () => new Date(nowMs) };
  const schedule = heldSchedule();
  schedule.letGo('for good');
  const { phone, metrics } = await observed({ GATEWAY_MAX_PHONE_REQUESTS: '40' }, { clock, schedule });
  const registration = phoneRequests['registrationToken'] as { real: Sent; fake: Sent };
  const clients = await Promise.all(Array.from({ length: 20 }, phone));
  const send = (requests: readonly Sent[]) =>
    Promise.all(
      clients.map(async (client, lane) => {
        for (let i = lane; i < requests.length; i += clients.length) await client.send(requests[i] as Sent);
      }),
    );
  nowMs += hourMs;
  await send(Array.from({ length: 1_000 }, (_, i) => (i % 4 === 0 ? registration.real : registration.fake)));
  const [one] = clients;
  const statusOf = async (sent: Sent) => (await one?.send(sent))?.status;
  // More than may be in hand: some may be shed themselves.
  const unfinished = await Promise.all(Array.from({ length: 60 }, phone));
  for (const { begin } of unfinished) begin(registration.real);
  await expect.poll(() => statusOf(registration.real)).toBe(503);
  await send(Array.from({ length: 1_000 }, () => registration.fake));
  for (const client of [...clients, ...unfinished]) client.close();
  expect(await metrics.seen('cwa.gateway.fake.share')).toBe(0);
  nowMs += hourMs;
  expect(await metrics.seen('cwa.gateway.fake.share'), 'three quarters, in steps of a tenth').toBe(0.7);
});
