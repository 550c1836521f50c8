import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isOpen, openFilesLimit, openIdleConnections } from '../abuse/idle-connections.ts';
import { latencies } from '../abuse/latency.ts';
import { pssMegabytes } from '../bench/processes.ts';
import { repositoryRoot } from '../mesh/child.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { connectTls, type Endpoint, partnerEndpoint, phoneEndpoint } from '../wire/endpoint.ts';
import { answered, type WireAnswer, type WireClient, type WireRequest } from '../wire/exchange.ts';
import { http1Client } from '../wire/http1.ts';
import { http2Client, openSession } from '../wire/http2.ts';
import { aHashedGuid, labReport, payload, registration, tanRequest, upload } from '../wire/journeys.ts';
import { temporaryMesh } from './mesh-home.ts';

const addressWatch = join(import.meta.dirname, '..', 'abuse', 'address-watch.ts');
const slowMs = 1_500;
const floorMs = 200;
const inHand = 300;

let mesh: Mesh;
let leave: () => Promise<void>;
let phones: Endpoint;
let partners: Endpoint;
let phone: WireClient;
let lab: WireClient;

beforeAll(async () => {
  ({ mesh, leave } = await temporaryMesh({
    env: {
      GATEWAY_HOST: '127.0.0.1',
      GATEWAY_SLOW_MS: `${slowMs}`,
      GATEWAY_ANSWER_FLOOR_MS: `${floorMs}`,
      GATEWAY_MAX_PHONE_REQUESTS: `${inHand}`,
    },
    nodeFlags: (name) => (name === 'gateway' ? ['--import', addressWatch] : []),
  }));
  phones = phoneEndpoint(mesh);
  partners = partnerEndpoint(mesh);
  phone = http1Client(phones);
  lab = http1Client(partners);
});
afterAll(async () => {
  phone?.close();
  lab?.close();
  await leave?.();
});

const head = 'POST /version/v1/tan HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
const partnerHead = 'POST /api/v1/lab/results HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';

/** Milliseconds until the server ends a connection on which `start` came at once and then an octet every 100 ms. */
async function untilCut(endpoint: Endpoint, start: string, drip: Buffer): Promise<number> {
  const socket = await connectTls(endpoint, 'http/1.1');
  const began = performance.now();
  socket.resume();
  socket.write(start);
  const drops = setInterval(() => socket.write(drip), 100);
  await Promise.race([
    new Promise((done) => socket.once('close', done)),
    new Promise((done) => socket.once('end', done)),
    delay(30_000),
  ]);
  clearInterval(drops);
  socket.destroy();
  return performance.now() - began;
}

test('slow-header and slow-body clients are cut, however steadily they drip, on both ports and both HTTP versions', async () => {
  const octet = Buffer.from('x');
  const cuts = await Promise.all([
    untilCut(phones, head + 'x-slow: ', octet),
    untilCut(phones, '', octet),
    untilCut(phones, `${head}content-length: 5000\r\n\r\n{`, octet),
    untilCut(phones, `${head}transfer-encoding: chunked\r\n\r\n`, Buffer.from('1\r\nx\r\n')),
    untilCut(partners, partnerHead + 'x-slow: ', octet),
    untilCut(partners, `${partnerHead}content-length: 5000\r\n\r\n{`, octet),
  ]);
  // Node looks at its connections once in slowMs, so a cut may come that much later; most is for a busy machine.
  for (const [index, ms] of cuts.entries()) expect(ms, `client ${index}`).toBeLessThan(2 * slowMs + 15_000);

  const session = await openSession(phones);
  const stream = session.request({ ':method': 'POST', ':path': '/version/v1/tan', 'content-type': 'application/json' });
  stream.on('error', () => {});
  const drops = setInterval(() => stream.destroyed || stream.write('x'), 100);
  const began = performance.now();
  await new Promise((done) => stream.once('close', done));
  clearInterval(drops);
  session.destroy();
  expect(performance.now() - began).toBeLessThan(slowMs + 15_000);
  expect(answered(await phone.send(tanRequest('x'))).status).toBe(400);
});

test('bodies, lists and heads above their limits are refused with the status of the contract, with and without a length', async () => {
  const json: [string, string] = ['content-type', 'application/json'];
  const of = (path: string, size: number, type = 'application/json', chunked = false): WireRequest => ({
    path,
    headers: [
      ['content-type', type],
      ['cwa-fake', '0'],
      ['cwa-authorization', ''],
    ],
    body: Buffer.alloc(size, ' '),
    chunked,
  });
  const protobuf = 'application/x-protobuf';
  const cases: [WireRequest, number][] = [
    [of('/version/v1/diagnosis-keys', 102_401, protobuf), 400],
    [of('/version/v1/diagnosis-keys', 102_401, protobuf, true), 400],
    [of('/version/v1/submission-on-behalf', 200_000, protobuf), 400],
    [of('/version/v1/registrationToken', 10_001), 406],
    [of('/version/v1/testresult', 10_001), 406],
    [of('/version/v1/tan', 10_001), 406],
    [of('/version/v1/tan', 10, 'application/json', true), 406],
    [of('/cwa.phone.v1.PhoneService/IssueTan', 102_401), 400],
    [{ method: 'GET', path: `/version/${'a'.repeat(300)}` }, 404],
    [{ path: '/version/v1/tan', headers: [json, ['x', 'y'.repeat(20_000)]] }, 431],
  ];
  for (const [request, status] of cases) {
    const one = answered(await phone.send(request));
    expect([request.path, one.status, one.headers['content-type'] === undefined ? one.body.length : 0]).toEqual([
      request.path,
      status,
      0,
    ]);
  }
  const over2 = http2Client(phones);
  for (const [request, status] of cases.filter(([{ chunked }, status]) => !chunked && status !== 431)) {
    expect(answered(await over2.send(request)).status, request.path).toBe(status);
  }
  expect(await over2.send({ path: '/version/v1/tan', headers: [json, ['x', 'y'.repeat(30_000)]] })).toSatisfy(
    (answer: WireAnswer | string) => answer === 'closed' || (answer as WireAnswer).status === 431,
  );
  over2.close();

  const ids = (count: number) => Array.from({ length: count }, aHashedGuid);
  expect(answered(await lab.send(labReport(ids(10_000), 1))).status).toBe(204);
  expect(answered(await lab.send(labReport(ids(10_001), 1))).status).toBe(413);
  expect(answered(await lab.send(of('/api/v1/lab/results', 4 * 1024 * 1024 + 1))).status).toBe(413);
  expect(
    answered(await lab.send(of('/api/v1/lab/results', 4 * 1024 * 1024 + 1, 'application/json', true))).status,
  ).toBe(413);
});

test('shed load: 503 and Retry-After on the schedule, real and fake alike, whatever address it comes from', async () => {
  const full = [http2Client(phones), http2Client(phones), http2Client(phones)];
  const elsewhere = http2Client({ ...phones, localAddress: '127.0.0.77' });
  const token = '1ea6ce8a-9740-41ea-bb37-0242ac130002';
  const shed: Record<'real' | 'fake', WireAnswer[]> = { real: [], fake: [] };
  // On a slow machine some leave before the last has come; then it takes more rounds.
  for (let round = 0; round < 40 && Math.min(shed.real.length, shed.fake.length) <= 30; round++) {
    const filling = Array.from({ length: inHand + 100 }, (_, i) => (full[i % 3] as WireClient).send(tanRequest(token)));
    await delay(60);
    const asked = Array.from({ length: 40 }, async (_, i) => {
      const fake = i % 2 === 0 ? '0' : '1';
      const request =
        i % 4 < 2 ? tanRequest(token, fake) : upload(fake === '0' ? token : '', payload(mesh.clock.nowMs()), fake);
      const answer = answered(await (i % 3 === 0 ? elsewhere : (full[i % 3] as WireClient)).send(request));
      if (answer.status === 503) shed[fake === '0' ? 'real' : 'fake'].push(answer);
    });
    await Promise.all([...filling, ...asked]);
  }
  expect(shed.real.length).toBeGreaterThan(30);
  expect(shed.fake.length).toBeGreaterThan(30);
  for (const { headers, body, ms } of [...shed.real, ...shed.fake]) {
    expect([headers['retry-after'], body.length]).toEqual(['60', 0]);
    expect(ms).toBeGreaterThanOrEqual(floorMs - 2);
  }
  const lengths = (answers: readonly WireAnswer[]) => [...new Set(answers.map((answer) => answer.head.length))];
  expect(lengths(shed.fake)).toEqual(lengths(shed.real));
  expect(lengths(shed.real)).toHaveLength(1);
  const median = (answers: readonly WireAnswer[]) =>
    answers.map(({ ms }) => ms).sort((a, b) => a - b)[answers.length >> 1] ?? 0;
  expect(Math.abs(median(shed.real) - median(shed.fake))).toBeLessThan(floorMs / 2);
  for (const client of [...full, elsewhere]) client.close();
});

test('10,000 idle connections do not hurt others', async () => {
  const gateway = mesh.processes.get('gateway')?.pid ?? 0;
  const limit = Math.min(openFilesLimit(gateway), openFilesLimit(process.pid));
  const count = Math.min(10_000, limit - 1_000);
  const lanes = Array.from({ length: 8 }, () => http1Client(phones));
  const download = (): WireRequest => ({ method: 'GET', path: '/version/v1/nothing-there' });
  const register = () => registration(aHashedGuid());
  const before = {
    downloads: await latencies(lanes, download, 1_500),
    phones: await latencies(lanes, register, 1_500),
  };
  const memory = pssMegabytes([gateway]);
  const began = performance.now();
  const idle = await openIdleConnections(phones, count);
  const openedMs = performance.now() - began;
  // The quietest of three: what else the machine does for a moment is not the work of idle connections.
  const quietest = async (request: () => WireRequest) => {
    const measured = [];
    for (let times = 0; times < 3; times++) measured.push(await latencies(lanes, request, 800));
    return measured.reduce((best, one) => (one.p99 < best.p99 ? one : best));
  };
  const during = { downloads: await quietest(download), phones: await quietest(register) };
  // The first connection has now been idle for longer than a request may take.
  await delay(Math.max(0, 2 * slowMs - (performance.now() - began)));
  const open = idle.filter(isOpen).length;
  const grown = pssMegabytes([gateway]) - memory;
  for (const socket of idle) socket.destroy();
  for (const lane of lanes) lane.close();

  const ms = (value: number) => `${value.toFixed(1)} ms`;
  process.stdout.write(
    `${open} idle connections (open files ${limit}) in ${(openedMs / 1000).toFixed(1)} s, gateway +${grown} MB; ` +
      `downloads p99 ${ms(before.downloads.p99)} → ${ms(during.downloads.p99)}, ` +
      `registrations p99 ${ms(before.phones.p99)} → ${ms(during.phones.p99)}\n`,
  );
  expect(open).toBe(count);
  expect([...during.downloads.statuses, ...during.phones.statuses]).toEqual([404, 201]);
  // Bounds with room for a busy machine: what they exclude is work that grows with the number of idle connections.
  expect(during.downloads.p99).toBeLessThan(3 * before.downloads.p99 + 100);
  expect(during.phones.p99).toBeLessThan(before.phones.p99 + floorMs + 100);
  expect(grown).toBeLessThan(count / 10);
}, 300_000);

test('no limit and nothing else in the gateway ever looks at the address of a caller', () => {
  const seen = spawnSync(process.execPath, ['--import', addressWatch, '--input-type=module', '-e', addressReader], {
    timeout: 30_000,
  });
  expect(seen.stderr.toString()).toContain('address-read');

  const log = readFileSync(join(mesh.home, 'log', 'gateway.log'), 'utf8');
  expect(log.split('\n').find((line) => line.includes('address-read'))).toBeUndefined();
  const gateway = join(repositoryRoot, 'gateway');
  for (const name of readdirSync(gateway).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))) {
    const source = readFileSync(join(gateway, name), 'utf8');
    expect(source, name).not.toMatch(/\bremote(Address|Port|Family)\b|forwarded|real-ip|\.ips?\b/i);
  }
});

/** A server that does what the gateway must not do. */
const addressReader = `
  import { createServer, connect } from 'node:net';
  const server = createServer((socket) => { void socket.remoteAddress; process.exit(); });
  server.listen(0, '127.0.0.1', () => connect(server.address().port, '127.0.0.1'));
`;
