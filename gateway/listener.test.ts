import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writePair } from '../lib/pki/authority.ts';
import { ConfigError } from '../lib/process/config.ts';
import { startPhonePort } from './gateway.ts';
import { heldSchedule } from './fixtures/held-schedule.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { openHttp2 } from './fixtures/http2.ts';
import { payload, phoneRequests } from './fixtures/phone-requests.ts';
import { startGateway } from './fixtures/start-gateway.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway({ env: { GATEWAY_SLOW_MS: '600' } });
});
afterAll(() => gateway.close());

const sleep = (ms: number) => new Promise((done) => setTimeout(done, ms));
const target = () => ({ port: gateway.phonePort, ca: gateway.ca });
const tan = phoneRequests['tan']?.real as Sent;

/** What a connection carries until it is closed, written to as given. */
async function raw(text: string | Buffer, ms = 20_000): Promise<{ text: string; ms: number }> {
  const { socket } = await openHttp1(target());
  const start = performance.now();
  let got = '';
  socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')));
  socket.write(text);
  await Promise.race([new Promise((done) => socket.once('close', done)), sleep(ms)]);
  socket.destroy();
  return { text: got, ms: performance.now() - start };
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s is spoken, with the suites of the contract only', async (version) => {
  const client = await openHttp1({ ...target(), minVersion: version, maxVersion: version });
  expect(client.socket.getProtocol()).toBe(version);
  expect(client.socket.getCipher().standardName).toMatch(/GCM/);
  expect((await client.send(tan)).status).toBe(201);
  client.close();
});

test('older versions and other suites fail the handshake', async () => {
  for (const options of [
    { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES256-SHA384' },
    { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' },
    { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' },
  ] as const) {
    await expect(openHttp1({ ...target(), ...options })).rejects.toThrow();
  }
});

test('a new certificate is served without dropping connections, TLS 1.2 included', async () => {
  const serialOf = async () => {
    const client = await openHttp1({ ...target(), maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' });
    const serial = client.socket.getPeerCertificate().serialNumber;
    client.close();
    return serial;
  };
  const old = await openHttp1(target());
  const old2 = await openHttp2(target());
  const before = await serialOf();
  writePair(gateway.folder, 'gateway', await gateway.authority.issue({ processName: 'gateway' }));
  await expect.poll(serialOf).not.toBe(before);
  expect((await old.send(tan)).status).toBe(201);
  expect((await old2.send(tan)).status).toBe(201);
  // The partners' port still demands certificates after its exchange.
  await expect(
    openHttp1({ port: gateway.labPort, ca: gateway.ca }).then((client) => client.send({ method: 'GET', path: '/' })),
  ).rejects.toThrow();
  old.close();
  old2.close();
});

test('no HTTP, heads that are too long and lengths that contradict get an empty refusal and are hung up on', async () => {
  for (const [text, status] of [
    ['GARBAGE\r\n\r\n', 400],
    ['GET / HTTP/9.9\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nhost: a\r\nx: ${'canary'.repeat(5_000)}\r\n\r\n`, 431],
    [
      'POST /version/v1/tan HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['POST /version/v1/tan HTTP/1.1\r\nhost: a\r\ncontent-length: -5\r\n\r\n', 400],
  ] as const) {
    const got = await raw(text);
    expect(got.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^\\r]*\\r\\n`));
    expect(got.text).toMatch(/\r\n\r\n$/);
    expect(got.text).not.toContain('canary');
    expect(got.ms).toBeLessThan(15_000);
  }
});

test('heads and bodies slower than the limit are cut, over both HTTP versions', async () => {
  const head = await raw('POST /version/v1/tan HTTP/1.1\r\nhost: a\r\n');
  expect(head.ms).toBeLessThan(15_000);
  expect(head.text).toMatch(/^(HTTP\/1\.1 408 |$)/);
  const body = await raw(
    'POST /version/v1/tan HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{',
  );
  expect(body.ms).toBeLessThan(15_000);
  const { session, close } = await openHttp2(target());
  const stream = session.request({ ':method': 'POST', ':path': '/version/v1/tan', 'content-type': 'application/json' });
  stream.write('{');
  const start = performance.now();
  await new Promise((done) => {
    stream.on('error', done);
    stream.on('close', done);
  });
  expect(performance.now() - start).toBeLessThan(15_000);
  close();
});

test.each(['a head that never ends', 'pings and no request'])('HTTP/2: %s is cut at the limit', async (what) => {
  const { ca, port } = target();
  const socket = connectTls({ port, host: '127.0.0.1', servername: 'localhost', ca, ALPNProtocols: ['h2'] });
  await new Promise((done) => socket.once('secureConnect', done));
  const frame = (type: number, stream: number, body: Buffer) =>
    Buffer.concat([Buffer.from([0, 0, body.length, type, 0, 0, 0, 0, stream]), body]);
  const start = performance.now();
  const closed = new Promise((done) => socket.once('close', done));
  socket.on('error', () => {}).resume();
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(frame(4, 0, Buffer.alloc(0)));
  // :method POST and :scheme https without END_HEADERS; nothing but its continuation may follow, so no pings here.
  if (what === 'a head that never ends') socket.write(frame(1, 1, Buffer.from([0x83, 0x87])));
  const pings = setInterval(() => {
    if (what === 'pings and no request') socket.write(frame(6, 0, Buffer.alloc(8)));
  }, 100);
  await Promise.race([closed, sleep(20_000)]);
  clearInterval(pings);
  socket.destroy();
  const ms = performance.now() - start;
  // Not sooner either: a connection that breaks a rule of HTTP/2 would be closed at once and prove nothing.
  expect(ms).toBeGreaterThan(500);
  expect(ms).toBeLessThan(15_000);
});

test('an HTTP/2 connection in use is not cut, and one that is silent is', async () => {
  const patient = await startGateway({ env: { GATEWAY_SLOW_MS: '1500' } });
  const { session, close } = await openHttp2({ port: patient.phonePort, ca: patient.ca });
  for (let i = 0; i < 5; i++) {
    const stream = session.request({ ':method': 'GET', ':path': '/version' });
    stream.resume();
    await new Promise((done) => stream.once('close', done));
    await sleep(400);
  }
  expect(session.closed).toBe(false);
  await expect.poll(() => session.closed || session.destroyed).toBe(true);
  close();
  await patient.close();
});

test('decision 16: above the limit of requests in hand new ones get 503, empty, with Retry-After, real and fake alike, on the schedule', async () => {
  const schedule = heldSchedule();
  const busy = await startGateway({ env: { GATEWAY_MAX_PHONE_REQUESTS: '2' }, schedule });
  const clients = await Promise.all(Array.from({ length: 6 }, () => openHttp1({ port: busy.phonePort, ca: busy.ca })));
  const { real, fake } = phoneRequests['diagnosis-keys'] as { real: Sent; fake: Sent };
  const first = clients.slice(0, 2).map((client) => client.send(real));
  await expect.poll(() => schedule.waiting).toBe(2);
  const later = clients.slice(2).map((client, i) => client.send(i % 2 === 0 ? real : fake));
  await expect.poll(() => schedule.waiting).toBe(6);
  schedule.letGo('for good');
  const shed = await Promise.all(later);
  for (const got of shed) {
    expect([got.status, got.headers['retry-after'], got.body.length]).toEqual([503, '60', 0]);
  }
  expect(new Set(shed.map(({ head }) => head.length)).size).toBe(1);
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
  expect((await clients[0]?.send(real))?.status).toBe(200);
  for (const client of clients) client.close();
  await busy.close();
});

test('decision 16: above the limit of octets in hand new ones get 503 until bodies are gone, real and fake alike', async () => {
  const schedule = heldSchedule();
  schedule.letGo('for good');
  const full = await startGateway({ env: { GATEWAY_MAX_HELD_MIB: '1' }, schedule });
  const open = () => openHttp1({ port: full.phonePort, ca: full.ca });
  const { real, fake } = phoneRequests['diagnosis-keys'] as { real: Sent; fake: Sent };
  const client = await open();
  const statusOf = async (sent: Sent) => (await client.send(sent)).status;
  // Ten bodies of 102,400 octets stay below a mebibyte, eleven do not.
  const unfinished = await Promise.all(Array.from({ length: 11 }, open));
  const large = { ...real, body: Buffer.alloc(102_400) };
  for (const { begin } of unfinished.slice(1)) begin(large);
  await sleep(200);
  expect([await statusOf(real), await statusOf(fake)]).toEqual([200, 200]);
  unfinished[0]?.begin(large);
  await expect.poll(() => statusOf(real)).toBe(503);
  expect(await statusOf(fake)).toBe(503);
  for (const { close } of unfinished) close();
  await expect.poll(() => statusOf(real)).toBe(200);
  client.close();
  await full.close();
});

test('every answer of a phone route is on the schedule, refusals included; unknown paths and downloads are not', async () => {
  const schedule = heldSchedule();
  const timed = await startGateway({ schedule });
  const sends: Sent[] = [
    ...Object.values(phoneRequests).flatMap(({ real, fake }) => [real, fake]),
    { path: tan.path, method: 'GET' },
    { ...tan, body: '{' },
    { ...tan, headers: {} },
    { ...tan, body: 'x'.repeat(20_000) },
    { ...(phoneRequests['diagnosis-keys'] as { real: Sent }).real, body: payload().subarray(0, 50) },
    {
      path: '/cwa.phone.v1.PhoneService/IssueTan',
      headers: { 'content-type': 'application/json', 'cwa-fake': '1' },
      body: '{}',
    },
  ];
  const clients = await Promise.all(sends.map(() => openHttp1({ port: timed.phonePort, ca: timed.ca })));
  let answered = 0;
  const answers = clients.map((client, i) => client.send(sends[i] as Sent).finally(() => answered++));
  await expect.poll(() => schedule.waiting).toBe(sends.length);
  expect(answered).toBe(0);
  schedule.letGo();
  await Promise.all(answers);
  for (const client of clients) client.close();
  // Nobody lets these go.
  const client = await openHttp1({ port: timed.phonePort, ca: timed.ca });
  expect((await client.send({ path: '/nothing' })).status).toBe(404);
  expect((await client.send({ method: 'GET', path: '/version/v1/nothing' })).status).toBe(404);
  client.close();
  await timed.close();
});

test('callers that go before their answer leave nothing behind', async () => {
  const timed = await startGateway({ env: { GATEWAY_ANSWER_FLOOR_MS: '200', GATEWAY_MAX_PHONE_REQUESTS: '5' } });
  for (let i = 0; i < 20; i++) {
    const client = await openHttp1({ port: timed.phonePort, ca: timed.ca });
    void client.send(tan).catch(() => {});
    await sleep(5);
    client.close();
    const { session, close } = await openHttp2({ port: timed.phonePort, ca: timed.ca });
    const stream = session.request({ ':method': 'POST', ':path': tan.path, 'content-type': 'application/json' });
    stream.on('error', () => {});
    stream.end(tan.body);
    await sleep(5);
    close();
  }
  const client = await openHttp1({ port: timed.phonePort, ca: timed.ca });
  await expect.poll(async () => (await client.send(tan)).status).toBe(201);
  expect((await client.send(tan)).ms).toBeGreaterThanOrEqual(199);
  client.close();
  await timed.close();
});

test('many idle connections do not keep others from being served', async () => {
  const idle = await Promise.all(
    Array.from(
      { length: 300 },
      () =>
        new Promise<ReturnType<typeof connectTcp>>((done) => {
          const socket = connectTcp({ port: gateway.phonePort, host: '127.0.0.1' }, () => done(socket));
          socket.on('error', () => {});
        }),
    ),
  );
  const client = await openHttp1(target());
  expect((await client.send(tan)).status).toBe(201);
  client.close();
  for (const socket of idle) socket.destroy();
});

test('pipelined requests are answered in order', async () => {
  const { socket, close } = await openHttp1(target());
  const line = (path: string) => `POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n`;
  let text = '';
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
  socket.write(line('/version/v1/tan') + line('/nothing') + line('/version/v1/tan'));
  const statuses = () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1]);
  await expect.poll(statuses).toHaveLength(3);
  expect(statuses()).toEqual(['415', '404', '415']);
  close();
});

test('a taken port is named with its setting', async () => {
  const deps = { ...gateway.deps, settings: { ...gateway.deps.settings, GATEWAY_PHONE_PORT: gateway.phonePort } };
  const failure = await startPhonePort(deps).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConfigError);
  expect((failure as Error).message).toBe(`GATEWAY_PHONE_PORT: port ${gateway.phonePort} is taken by another program`);
});
