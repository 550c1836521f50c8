import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../lib/telemetry/log.ts';
import { failureTally } from './failure-tally.ts';
import { fakeClock } from '../lib/testing/clock.ts';
import { memoryBlobStore } from '../lib/testing/memory-blob-store.ts';
import type { Blob } from '../lib/blob/blob.ts';
import { Downloads } from './downloads.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { openHttp2 } from './fixtures/http2.ts';

const failures = failureTally(silentLog, 'failed');

let gateway: Awaited<ReturnType<typeof startGateway>>;
let http1: Awaited<ReturnType<typeof openHttp1>>;
let http2: Awaited<ReturnType<typeof openHttp2>>;
const zip = Buffer.from(Array.from({ length: 20_000 }, (_, i) => i % 251));
const packageKey = 'version/v1/diagnosis-keys/country/DE/date/2020-06-11/hour/12';

beforeAll(async () => {
  gateway = await startGateway();
  const { store } = gateway;
  const json = { contentType: 'application/json', cacheControl: 'public,max-age=300' };
  await store.put('version', Buffer.from('["v1"]'), json);
  await store.put('version/v1/diagnosis-keys/country/DE/date', Buffer.from('["2020-06-11"]'), json);
  await store.put(packageKey, zip, { contentType: 'application/zip', cacheControl: 'public,max-age=86400,immutable' });
  await store.put('version/v2/twp/country/DE/hour/441234', Buffer.alloc(0), {
    contentType: 'application/zip',
    cacheControl: 'public,max-age=300',
  });
  await store.put('secret', Buffer.from('x'), json);
  http1 = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  http2 = await openHttp2({ port: gateway.phonePort, ca: gateway.ca });
});
afterAll(async () => {
  http1.close();
  http2.close();
  await gateway.close();
});

const both = async (sent: Sent) => [await http1.send(sent), await http2.send(sent)] as const;
const get = (key: string, headers: Record<string, string> = {}) =>
  both({ method: 'GET', path: `/${key}`, headers: { 'accept-encoding': 'gzip', ...headers } });

test('D 2.8, D fault 10: body, Content-Type, Cache-Control and length as stored, one quoted ETag, never chunked or compressed', async () => {
  for (const got of await get(packageKey)) {
    expect(got.status).toBe(200);
    expect(got.body.equals(zip)).toBe(true);
    expect(got.headers).toMatchObject({
      'content-type': 'application/zip',
      'cache-control': 'public,max-age=86400,immutable',
      'content-length': '20000',
      etag: `"${createHash('md5').update(zip).digest('hex')}"`,
    });
    const names = got.names.map((name) => name.toLowerCase());
    for (const name of ['etag', 'date', 'content-length', 'content-type'])
      expect(names.filter((n) => n === name)).toHaveLength(1);
    expect(names).not.toContain('transfer-encoding');
    expect(names).not.toContain('content-encoding');
  }
  for (const got of await get('version/v1/diagnosis-keys/country/DE/date'))
    expect(got.body.toString()).toBe('["2020-06-11"]');
  for (const got of await get('version')) expect(got.body.toString()).toBe('["v1"]');
});

test('HEAD tells the same headers without a body', async () => {
  for (const got of await both({ method: 'HEAD', path: `/${packageKey}` })) {
    expect([got.status, got.body.length, got.headers['content-length']]).toEqual([200, 0, '20000']);
  }
});

test('0-byte objects have Content-Length 0', async () => {
  for (const got of await get('version/v2/twp/country/DE/hour/441234')) {
    expect([got.status, got.headers['content-length'], got.headers['content-type']]).toEqual([
      200,
      '0',
      'application/zip',
    ]);
  }
});

test('D row 53: one quoted ETag on every GET; If-None-Match: 304 with ETag and Cache-Control and no body; another ETag gets the object', async () => {
  const [first] = await get(packageKey);
  const etag = first.headers['etag'] ?? '';
  for (const value of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
    for (const got of await get(packageKey, { 'if-none-match': value })) {
      expect([got.status, got.body.length, got.headers['etag'], got.headers['cache-control']]).toEqual([
        304,
        0,
        etag,
        'public,max-age=86400,immutable',
      ]);
      expect(got.headers['date']).toBeDefined();
    }
  }
  for (const got of await get(packageKey, { 'if-none-match': '"other"' })) expect(got.status).toBe(200);
});

test('absent objects, traversal, escapes and very long paths are 404, empty, and never asked of the store', async () => {
  for (const got of await get('version/v1/diagnosis-keys/country/DE/date/2020-06-12'))
    expect([got.status, got.body.length]).toEqual([404, 0]);
  gateway.store.forgetRequests();
  const weird = [
    'secret',
    'version/../secret',
    'version/%2e%2e/secret',
    'version/..%2fsecret',
    'version//v1',
    'version/',
    '/version',
    'version/v1/./date',
    `version/${'a'.repeat(300)}`,
    `version/${'a/'.repeat(3_000)}`,
    'version/%',
    'version/%00',
    'version/%zz',
    'version/%C3%A4',
    'version\\v1',
    'version/v1;x',
    'version/.hidden',
    'Version/v1',
  ];
  for (const key of weird) {
    const got = await http1.send({ method: 'GET', path: `/${key}` });
    expect([key, got.status, got.body.length]).toEqual([key, 404, 0]);
  }
  expect(gateway.store.requests).toEqual([]);
});

test('wrong verb is 405 on an object and 404 where there is none; a query is ignored', async () => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
    const got = await http1.send({ method, path: `/${packageKey}`, body: 'x'.repeat(5_000) });
    expect([got.status, got.headers['allow'], got.body.length]).toEqual([405, 'GET, HEAD', 0]);
    expect((await http1.send({ method, path: '/version/v1/nothing', body: 'x' })).status).toBe(404);
  }
  expect((await http1.send({ method: 'GET', path: `/${packageKey}?a=b` })).status).toBe(200);
});

test('a store that fails: known objects are served on, unknown ones are 503 with Retry-After', async () => {
  const broken = await startGateway();
  const client = await openHttp1({ port: broken.phonePort, ca: broken.ca });
  await broken.store.put('version', Buffer.from('["v1"]'), {
    contentType: 'application/json',
    cacheControl: 'public,max-age=300',
  });
  const path = '/version';
  expect((await client.send({ method: 'GET', path })).status).toBe(200);
  broken.store.close();
  await new Promise((done) => setTimeout(done, 150));
  expect((await client.send({ method: 'GET', path })).status).toBe(200);
  const got = await client.send({ method: 'GET', path: '/version/v1/other' });
  expect([got.status, got.headers['retry-after'], got.body.length]).toEqual([503, '60', 0]);
  client.close();
  await broken.close();
});

test('mutable objects are asked again after their time, packages later; one question at a time for all who wait', async () => {
  const clock = fakeClock('2026-01-01T00:00:00Z');
  const store = memoryBlobStore();
  const json = { contentType: 'application/json', cacheControl: 'public,max-age=300' };
  await store.put('index', Buffer.from('[1]'), json);
  await store.put('package', Buffer.from('zip'), { ...json, cacheControl: 'public,max-age=86400,immutable' });
  store.forgetRequests();
  const downloads = new Downloads({
    store,
    clock,
    failures,
    cacheBytes: 1e6,
    freshMs: 100,
    immutableFreshMs: 5_000,
  });
  const read = async (key: string) => ((await downloads.get(key)) as Blob).body.toString();
  expect(await Promise.all([read('index'), read('index'), read('index'), read('package')])).toEqual([
    '[1]',
    '[1]',
    '[1]',
    'zip',
  ]);
  expect(store.requests).toHaveLength(2);
  await store.put('index', Buffer.from('[1,2]'), json);
  await store.delete(['package']);
  expect(await read('index')).toBe('[1]');
  clock.advance(101);
  expect([await read('index'), await read('package')]).toEqual(['[1,2]', 'zip']);
  clock.advance(5_000);
  expect(await downloads.get('package')).toBe('absent');
});

test('memory for objects has a bound', async () => {
  const store = memoryBlobStore();
  for (let i = 0; i < 20; i++) {
    await store.put(`k${i}`, Buffer.alloc(100_000), { contentType: 'a/b', cacheControl: 'immutable' });
  }
  store.forgetRequests();
  const downloads = new Downloads({
    store,
    clock: fakeClock(0),
    failures,
    cacheBytes: 1_000_000,
    freshMs: 100,
    immutableFreshMs: 5_000,
  });
  for (let round = 0; round < 2; round++) for (let i = 0; i < 20; i++) await downloads.get(`k${i}`);
  expect(store.requests.length).toBeGreaterThan(30);
});
