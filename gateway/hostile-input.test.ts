import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '../lib/random/random.ts';
import { jsonLog } from '../lib/telemetry/log.ts';
import { systemClock } from '../lib/time/clock.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { openHttp2 } from './fixtures/http2.ts';
import { payload, phoneRequests } from './fixtures/phone-requests.ts';
import { goodTan, known } from './fixtures/answering-mesh.ts';
import { startGateway } from './fixtures/start-gateway.ts';

const lines: string[] = [];
const log = jsonLog(
  'gateway',
  () => systemClock.now(),
  (line) => lines.push(line),
  'debug',
);

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway({ log });
});
afterAll(() => gateway.close());

const json = { 'content-type': 'application/json' };
const routes: [string, Record<string, string>, Uint8Array][] = [
  [
    '/version/v1/diagnosis-keys',
    { 'content-type': 'application/x-protobuf', 'cwa-fake': '0', 'cwa-authorization': goodTan },
    payload(),
  ],
  [
    '/version/v1/submission-on-behalf',
    { 'content-type': 'application/x-protobuf', 'cwa-fake': '0', 'cwa-authorization': goodTan },
    payload(),
  ],
  [
    '/version/v1/registrationToken',
    json,
    Buffer.from(JSON.stringify({ keyType: 'GUID', key: 'f'.repeat(64), keyDob: null })),
  ],
  ['/version/v1/testresult', json, Buffer.from(JSON.stringify({ registrationToken: known }))],
  ['/version/v1/tan', json, Buffer.from(JSON.stringify({ registrationToken: known }))],
  ...['RegisterToken', 'GetTestResult', 'IssueTan', 'SubmitKeys', 'SubmitKeysOnBehalf'].flatMap((method) =>
    ['application/proto', 'application/json', 'application/grpc-web+proto'].map(
      (type): [string, Record<string, string>, Uint8Array] => [
        `/cwa.phone.v1.PhoneService/${method}`,
        { 'content-type': type, 'cwa-fake': '0', 'cwa-authorization': goodTan },
        type === 'application/json' ? Buffer.from('{"key":"x","payload":{"keys":[]}}') : payload(3),
      ],
    ),
  ),
];

/** Random octets, or the good body with some octets changed, cut, doubled or nested. */
function hostile(random: ReturnType<typeof seededRandom>, good: Uint8Array): Buffer {
  const body = Buffer.from(good);
  switch (random.int(6)) {
    case 0:
      return random.bytes(random.int(300));
    case 1:
      return body.subarray(0, random.int(body.length));
    case 2:
      return Buffer.concat([body, body]);
    case 3:
      return Buffer.from('['.repeat(random.int(5_000)));
    default:
      for (let i = 0; i <= random.int(4); i++) body[random.int(body.length)] = random.int(256);
      return body;
  }
}

test('thousands of random bodies on every phone route: no 5xx, no echo, the process serves on', async () => {
  const random = seededRandom('hostile');
  const statuses = new Map<number, number>();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      const http2 = await openHttp2({ port: gateway.phonePort, ca: gateway.ca });
      for (let i = 0; i < 500; i++) {
        const [path, headers, good] = routes[random.int(routes.length)] as (typeof routes)[number];
        const fake =
          random.int(3) === 0 ? { 'cwa-fake': random.int(2) === 0 ? '1' : random.bytes(2).toString('hex') } : {};
        const got = await http2.send({ path, headers: { ...headers, ...fake }, body: hostile(random, good) });
        const grpcStatus = /grpc-status: (\d+)/.exec(got.body.toString())?.[1];
        if (grpcStatus !== undefined) expect([0, 3, 5, 7, 12]).toContain(Number(grpcStatus));
        statuses.set(got.status, (statuses.get(got.status) ?? 0) + 1);
      }
      http2.close();
    }),
  );
  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
  expect([...statuses.values()].reduce((a, b) => a + b)).toBe(4_000);
  expect(statuses.get(400)).toBeGreaterThan(500);
  const client = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  for (const { real, status } of Object.values(phoneRequests)) expect((await client.send(real)).status).toBe(status);
  client.close();
}, 60_000);

test('random bodies on the lab routes: no 5xx', async () => {
  const random = seededRandom('labs');
  const lab = await openHttp1({ port: gateway.labPort, ca: gateway.ca, ...gateway.identity('lab') });
  const good = Buffer.from(
    JSON.stringify({ testResults: [{ id: 'a'.repeat(64), result: 1, sc: 1_700_000_000 }], labId: 'x' }),
  );
  for (let i = 0; i < 1_000; i++) {
    const path =
      [
        '/api/v1/lab/results',
        '/api/v1/quicktest/results',
        '/api/v1/pocnat/result',
        '/cwa.lab.v1.LabService/ReportResults',
      ][random.int(4)] ?? '';
    const got = await lab.send({ path, headers: json, body: hostile(random, good) });
    expect(got.status).toBeLessThan(500);
  }
  lab.close();
});

test('S row 40, 69: transport metadata and secrets reach no log, no answer and not the mesh', async () => {
  const canary = 'CANARY7f3a';
  const failing = await startGateway({ log, mesh: { issueTan: () => Promise.reject(new Error(canary)) } });
  const dirty = {
    'user-agent': canary,
    'x-forwarded-for': canary,
    forwarded: `for=${canary}`,
    referer: canary,
    cookie: canary,
    'cwa-header-padding': canary,
    'x-request-id': canary,
  };
  const before = lines.length;
  for (const target of [gateway, failing]) {
    const http1 = await openHttp1({ port: target.phonePort, ca: target.ca });
    const http2 = await openHttp2({ port: target.phonePort, ca: target.ca });
    const sends: Sent[] = [
      ...Object.values(phoneRequests).flatMap(({ real, fake }) => [real, fake]),
      { path: `/version/${canary}`, method: 'GET' },
      { path: `/${canary}`, method: 'POST', body: canary },
      {
        path: '/version/v1/registrationToken',
        headers: json,
        body: JSON.stringify({ keyType: 'GUID', key: canary, keyDob: '${7*7}' }),
      },
      { path: '/version/v1/tan', headers: json, body: JSON.stringify({ registrationToken: `${canary}\r\n` }) },
      {
        path: '/version/v1/diagnosis-keys',
        headers: { 'content-type': 'application/x-protobuf', 'cwa-fake': canary },
        body: canary,
      },
      {
        path: '/cwa.phone.v1.PhoneService/IssueTan',
        headers: json,
        body: JSON.stringify({ registrationToken: known, x: canary }),
      },
    ];
    for (const sent of sends) {
      for (const client of [http1, http2]) {
        const got = await client.send({ ...sent, headers: { ...sent.headers, ...dirty } });
        expect(JSON.stringify([got.headers, got.body.toString('latin1')]).includes(canary)).toBe(false);
      }
    }
    const asked = JSON.stringify(target.asked, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));
    expect(asked.includes(canary)).toBe(false);
    http1.close();
    http2.close();
  }
  await failing.close();
  const written = lines.slice(before).join('');
  expect(written).toContain('phone-answers-failed');
  for (const secret of [canary, known, goodTan, 'f'.repeat(64), '127.0.0.1'])
    expect(written.includes(secret)).toBe(false);
});
