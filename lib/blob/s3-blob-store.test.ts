import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect, test } from 'vitest';

import { Secret } from '../process/secret.ts';
import type { BlobStore } from './blob.ts';
import { openS3BlobStore } from './s3-blob-store.ts';
import type { S3BlobStoreConfig } from './s3-blob-store.ts';

const SECRET = 'a secret that must not be seen';
const options = { contentType: 'application/json', cacheControl: 'public,max-age=300' };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

const status =
  (code: number, body = ''): Answer =>
  (_, response) =>
    response.writeHead(code).end(body);
const s3Error = (code: number, name: string): Answer =>
  status(code, `<Error><Code>${name}</Code><Message>no</Message></Error>`);
const cut: Answer = (request) => request.socket.destroy();
const stored: Answer = (_, response) => response.writeHead(200, { etag: '"e"' }).end();

/** A store that answers by script; the opening HEAD of the bucket is answered for it. */
async function scripted(script: Answer[], config: Partial<S3BlobStoreConfig> = {}) {
  const seen: string[] = [];
  const pauses: number[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => {
      if (request.method === 'HEAD' && /^\/bucket\/?$/.test(request.url ?? '')) return response.writeHead(200).end();
      seen.push(`${request.method} ${request.url?.split('?')[0]}`);
      return (script.shift() ?? status(500))(request, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const store: BlobStore = await openS3BlobStore({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-central-1',
    bucket: 'bucket',
    accessKeyId: 'KEY',
    secretAccessKey: new Secret(SECRET),
    forcePathStyle: true,
    clock: {
      sleep: async (ms) => {
        pauses.push(ms);
      },
    },
    ...config,
  });
  const stop = (): void => {
    store.close();
    server.close();
    server.closeAllConnections();
  };
  return { store, seen, pauses, [Symbol.dispose]: stop };
}

test('D row 35: a put that fails twice and then works takes 3 attempts, 2 s apart', async () => {
  using s = await scripted([status(503), cut, stored]);

  expect(await s.store.put('a', Buffer.from('x'), options)).toEqual({ etag: '"e"' });

  expect(s.seen).toEqual(['PUT /bucket/a', 'PUT /bucket/a', 'PUT /bucket/a']);
  expect(s.pauses).toEqual([2000, 2000]);
});

test('after 3 attempts the error names endpoint, operation and remedy, and no secret', async () => {
  using s = await scripted([status(503), status(500), s3Error(503, 'SlowDown'), stored]);

  const error = await s.store.put('version/v1/x', Buffer.from('x'), options).catch((e: unknown) => e as Error);

  expect(error).toMatchObject({ name: 'BlobStoreError', reason: 'UNREACHABLE' });
  expect(String(error)).toMatch(
    /object store http:\/\/127\.0\.0\.1:\d+, bucket bucket: put version\/v1\/x failed \(503 SlowDown\); check S3_ENDPOINT/,
  );
  expect(s.seen).toHaveLength(3);
  expect(
    JSON.stringify(error) + String(error) + String((error as Error).stack) + String((error as Error).cause),
  ).not.toContain(SECRET);
});

test('a refusal is not repeated, and the remedy names the settings', async () => {
  using s = await scripted([s3Error(403, 'SignatureDoesNotMatch'), s3Error(404, 'NoSuchBucket')]);

  const put = s.store.put('a', Buffer.from('x'), options);
  await expect(put).rejects.toMatchObject({
    reason: 'ACCESS_DENIED',
    message: expect.stringContaining('S3_SECRET_ACCESS_KEY'),
  });
  await expect(s.store.get('a')).rejects.toMatchObject({ reason: 'NO_BUCKET' });

  expect(s.seen).toHaveLength(2);
});

test('a conditional put whose answer was lost is recognised as ours; a foreign object is not', async () => {
  const object =
    (body: string): Answer =>
    (_, response) =>
      response.writeHead(200, { etag: '"e"', 'content-length': body.length }).end(body);
  using s = await scripted([
    cut,
    s3Error(412, 'PreconditionFailed'),
    object('mine'),
    cut,
    s3Error(412, 'PreconditionFailed'),
    object('other'),
  ]);

  const conditional = { ...options, onlyIfAbsent: true };
  expect(await s.store.put('a', Buffer.from('mine'), conditional)).toEqual({ etag: '"e"' });
  expect(await s.store.put('a', Buffer.from('mine'), conditional)).toBe('exists');
});

test('a conditional put in conflict (409) is repeated', async () => {
  using s = await scripted([s3Error(409, 'ConditionalRequestConflict'), stored]);

  expect(await s.store.put('a', Buffer.from('x'), { ...options, onlyIfAbsent: true })).toEqual({ etag: '"e"' });
});

test('a body that breaks off or fails its checksum is fetched again, then given up', async () => {
  const body =
    (sent: string, crc32: string): Answer =>
    (_, response) =>
      response.writeHead(200, { etag: '"e"', 'x-amz-checksum-crc32': crc32 }).end(sent);
  const brokenOff: Answer = (request, response) => {
    response.writeHead(200, { etag: '"e"', 'content-length': 10 }).write('123');
    setImmediate(() => request.socket.destroy());
  };
  using s = await scripted([
    brokenOff,
    body('b', '6Le+Qw=='),
    body('a', '6Le+Qw=='),
    body('b', '6Le+Qw=='),
    body('b', '6Le+Qw=='),
    body('b', '6Le+Qw=='),
  ]);

  expect((await s.store.get('x'))?.body.toString()).toBe('a');
  await expect(s.store.get('x')).rejects.toMatchObject({ reason: 'DAMAGED' });
});

test('DeleteObjects that answers 200 with an error inside rejects', async () => {
  using s = await scripted([
    status(200, '<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>'),
  ]);

  await expect(s.store.delete(['a', 'b'])).rejects.toMatchObject({
    reason: 'REFUSED',
    message: expect.stringContaining('delete 2 objects'),
  });
});

test('an absent bucket is created', async () => {
  const buckets = new Set<string>();
  const server = createServer(({ method, url }, response) => {
    const name = (url ?? '').split('?')[0]?.replaceAll('/', '') ?? '';
    if (method === 'PUT') buckets.add(name);
    response.writeHead(buckets.has(name) ? 200 : 404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    endpoint,
    region: 'r',
    bucket: 'made',
    accessKeyId: 'K',
    secretAccessKey: new Secret(SECRET),
    forcePathStyle: true,
  };

  (await openS3BlobStore(config)).close();

  expect([...buckets]).toEqual(['made']);
  server.close();
  server.closeAllConnections();
});

test('an unreachable endpoint ends opening with one sentence that names it, without its user and password', async () => {
  const config = {
    region: 'r',
    bucket: 'b-1',
    accessKeyId: 'K',
    secretAccessKey: new Secret(SECRET),
    forcePathStyle: true,
    clock: { sleep: async () => {} },
  };

  const opening = openS3BlobStore({ ...config, endpoint: 'http://user:password@127.0.0.1:1' });

  await expect(opening).rejects.toMatchObject({
    reason: 'UNREACHABLE',
    message:
      'object store http://127.0.0.1:1, bucket b-1: open failed (ECONNREFUSED); check S3_ENDPOINT and that the object store runs',
  });
});

test('a closed client says so', async () => {
  using s = await scripted([]);
  s.store.close();

  await expect(s.store.get('a')).rejects.toMatchObject({ reason: 'CLOSED' });
});

test('an abort during the pause ends the get', async () => {
  const controller = new AbortController();
  const clock = {
    sleep: async (_: number, signal?: AbortSignal) => (controller.abort(new Error('enough')), signal?.throwIfAborted()),
  };
  using s = await scripted([status(503), status(503)], { clock });

  await expect(s.store.get('a', controller.signal)).rejects.toThrow('enough');
  expect(s.seen).toHaveLength(1);
});
