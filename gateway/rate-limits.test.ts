import { expect, test } from 'vitest';
import { systemClock } from '../lib/time/clock.ts';
import { heldSchedule } from './fixtures/held-schedule.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { openHttp2 } from './fixtures/http2.ts';
import { phoneRequests } from './fixtures/phone-requests.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { rateLimits, type Rates } from './rate-limits.ts';

const rates: Rates = { phones: 10, upload: 4, registration: 8, result: 8, tan: 8, download: 3, partner: 2 };

test('decision 16: a group has one second in store and fills again at its rate', () => {
  let nowMs = 0;
  const limits = rateLimits({ monotonicMs: () => nowMs }, rates);
  const admitted = (times: number) =>
    Array.from({ length: times }, () => limits.admits('upload')).filter(Boolean).length;
  expect(admitted(10)).toBe(4);
  nowMs = 250;
  expect(admitted(10)).toBe(1);
  nowMs = 60_000;
  expect(admitted(10)).toBe(4);
});

test('all that phones ask has a limit together; downloads and partners have nothing to do with it', () => {
  const limits = rateLimits({ monotonicMs: () => 0 }, rates);
  for (let i = 0; i < 8; i++) expect(limits.admits('result')).toBe(true);
  expect(limits.admits('result')).toBe(false);
  expect([limits.admits('tan'), limits.admits('tan'), limits.admits('tan')]).toEqual([true, true, false]);
  expect([limits.admits('download'), limits.admits('partner')]).toEqual([true, true]);
});

const slow = {
  GATEWAY_MAX_UPLOADS_PER_SECOND: '1',
  GATEWAY_MAX_REGISTRATIONS_PER_SECOND: '1',
  GATEWAY_MAX_RESULTS_PER_SECOND: '1',
  GATEWAY_MAX_TANS_PER_SECOND: '1',
};

/** Limits know no other time than the one that the test passes. */
function standingClock() {
  let nowMs = 0;
  return { ...systemClock, monotonicMs: () => nowMs, pass: (ms: number) => (nowMs += ms) };
}

test.each(Object.entries(phoneRequests))(
  'decision 16: above the limit %s is shed, real and fake the same: 503, empty, Retry-After, on the schedule',
  async (_name, { real, fake }) => {
    const schedule = heldSchedule();
    const gateway = await startGateway({ env: slow, clock: standingClock(), schedule });
    const client = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
    const send = async (sent: Sent) => {
      const answer = client.send(sent);
      await expect.poll(() => schedule.waiting).toBe(1);
      schedule.letGo();
      return answer;
    };
    expect((await send(real)).status).toBeLessThan(300);
    const shed = [await send(real), await send(fake)];
    for (const { status, headers, body } of shed) {
      expect([status, headers['retry-after'], body.length]).toEqual([503, '60', 0]);
    }
    expect(shed[0]?.head.length).toBe(shed[1]?.head.length);
    expect(shed[0]?.names).toEqual(shed[1]?.names);
    const asked = gateway.asked;
    expect(asked.uploads.length + asked.registrations.length + asked.results.length + asked.tans.length).toBe(1);
    client.close();
    await gateway.close();
  },
);

test('Connect calls share the limit of their REST path; a refused real does not use up what a fake may have', async () => {
  const clock = standingClock();
  const gateway = await startGateway({ env: slow, clock });
  const client = await openHttp2({ port: gateway.phonePort, ca: gateway.ca });
  const call = {
    path: '/cwa.phone.v1.PhoneService/GetTestResult',
    headers: { 'content-type': 'application/json', 'cwa-fake': '1' },
    body: JSON.stringify({ registrationToken: '1ea6ce8a-9740-41ea-bb37-0242ac130002' }),
  };
  expect((await client.send(call)).status).toBe(200);
  expect((await client.send(phoneRequests['testresult']?.real ?? call)).status).toBe(503);
  clock.pass(1_000);
  expect((await client.send(phoneRequests['testresult']?.fake ?? call)).status).toBe(200);
  const shed = await client.send(call);
  expect([shed.status, shed.headers['retry-after'], shed.body.length]).toEqual([503, '60', 0]);
  client.close();
  await gateway.close();
});

test('downloads and partners are shed at once with 503 and Retry-After', async () => {
  const gateway = await startGateway({
    env: { GATEWAY_MAX_DOWNLOADS_PER_SECOND: '1', GATEWAY_MAX_PARTNER_REQUESTS_PER_SECOND: '1' },
    clock: standingClock(),
  });
  const phone = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  const lab = await openHttp1({ port: gateway.labPort, ca: gateway.ca, ...gateway.identity('lab') });
  const get = { method: 'GET', path: '/version' };
  const post = { path: '/api/v1/lab/results', headers: { 'content-type': 'application/json' }, body: '{}' };
  expect([(await phone.send(get)).status, (await lab.send(post)).status]).toEqual([404, 400]);
  for (const shed of [await phone.send(get), await lab.send(post)]) {
    expect([shed.status, shed.headers['retry-after'], shed.body.length]).toEqual([503, '60', 0]);
  }
  phone.close();
  lab.close();
  await gateway.close();
});
