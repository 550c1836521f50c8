import { equal, deepEqual, ok, rejects } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { blobStoreCases, pattern } from '../testing/blob-store-contract.ts';
import { memoryBlobStore } from '../testing/memory-blob-store.ts';
import type { BlobStore } from './blob.ts';
import { openS3BlobStore } from './s3-blob-store.ts';
import type { S3BlobStoreConfig } from './s3-blob-store.ts';

interface Target {
  config: S3BlobStoreConfig;
  client: S3Client;
  bucket: string;
  /** A prefix of this run, so that a bucket can be used again and again. */
  at: string;
}

type SdkOptions = Partial<ConstructorParameters<typeof S3Client>[0]>;

/** What the SDK must find in any server that we run on, beyond BlobStore: name and proof. */
const serverCases: [string, (target: Target) => Promise<void>][] = [
  [
    'the default CRC32 of the SDK is verified, kept and returned with checksum mode',
    async ({ client, bucket, at }) => {
      const put = await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: 'a' }));
      equal(put.ChecksumCRC32, '6Le+Qw==');
      const got = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: `${at}/a`, ChecksumMode: 'ENABLED' }));
      equal(got.ChecksumCRC32, '6Le+Qw==');
    },
  ],
  [
    'CRC32C, SHA1 and SHA256 checksums are accepted',
    async ({ client, bucket, at }) => {
      for (const ChecksumAlgorithm of ['CRC32C', 'SHA1', 'SHA256'] as const)
        await client.send(
          new PutObjectCommand({
            Bucket: bucket,
            Key: `${at}/${ChecksumAlgorithm}`,
            Body: pattern(1000),
            ChecksumAlgorithm,
          }),
        );
      const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${at}/SHA256` }));
      ok(pattern(1000).equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0)));
    },
  ],
  [
    'a wrong CRC32, SHA256 or MD5 is refused and stores nothing',
    async ({ client, bucket, at }) => {
      const wrong = [
        { ChecksumCRC32: 'AAAAAA==' },
        { ChecksumSHA256: Buffer.alloc(32).toString('base64') },
        { ContentMD5: Buffer.alloc(16).toString('base64') },
      ];
      for (const checksum of wrong)
        equal(
          await statusOf(client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: 'a', ...checksum }))),
          400,
        );
      equal(await statusOf(client.send(new HeadObjectCommand({ Bucket: bucket, Key: `${at}/a` }))), 404);
    },
  ],
  [
    'a stream (aws-chunked with trailer) is stored without its framing',
    async ({ client, bucket, at }) => {
      const body = pattern(300_000);
      const parts = [body.subarray(0, 1), body.subarray(1, 70_000), body.subarray(70_000)];
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: `${at}/s`,
          Body: Readable.from(parts),
          ContentLength: body.length,
          ContentEncoding: 'gzip',
        }),
      );
      const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${at}/s` }));
      ok(body.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0)));
      equal(got.ContentEncoding?.includes('aws-chunked') ?? false, false);
    },
  ],
  [
    'a wrong secret and an unknown access key are refused',
    async ({ config, bucket, at }) => {
      const stranger = sdkClient({ ...config, secretAccessKey: 'not the secret' });
      const unknown = sdkClient({ ...config, accessKeyId: 'NOBODYNOBODYNOBODYNB' });
      for (const client of [stranger, unknown]) {
        equal(await statusOf(client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: 'a' }))), 403);
        equal(await statusOf(client.send(new GetObjectCommand({ Bucket: bucket, Key: `${at}/a` }))), 403);
        equal(await statusOf(client.send(new ListObjectsV2Command({ Bucket: bucket }))), 403);
        client.destroy();
      }
    },
  ],
  [
    'a request dated one hour away is refused as too skewed',
    async ({ config, bucket }) => {
      for (const systemClockOffset of [3_600_000, -3_600_000]) {
        const client = sdkClient(config, { systemClockOffset });
        equal(await codeOf(client.send(new ListObjectsV2Command({ Bucket: bucket }))), 'RequestTimeTooSkewed');
        client.destroy();
      }
    },
  ],
  [
    'absent objects and buckets carry their S3 codes',
    async ({ client, bucket, at }) => {
      equal(await codeOf(client.send(new GetObjectCommand({ Bucket: bucket, Key: `${at}/none` }))), 'NoSuchKey');
      equal(await codeOf(client.send(new GetObjectCommand({ Bucket: `${bucket}-none`, Key: 'a' }))), 'NoSuchBucket');
      equal(await statusOf(client.send(new HeadBucketCommand({ Bucket: `${bucket}-none` }))), 404);
    },
  ],
  [
    'PUT with If-None-Match: 412 once the object exists',
    async ({ client, bucket, at }) => {
      const put = new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: 'a', IfNoneMatch: '*' });
      await client.send(put);
      equal(await statusOf(client.send(put)), 412);
    },
  ],
  [
    'PUT with If-Match: replaces the named version only',
    async ({ client, bucket, at }) => {
      const first = await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: '1' }));
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: '2', IfMatch: first.ETag }));
      equal(
        await statusOf(
          client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: '3', IfMatch: first.ETag })),
        ),
        412,
      );
      equal(
        await statusOf(
          client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/none`, Body: '3', IfMatch: first.ETag })),
        ),
        404,
      );
    },
  ],
  [
    'GET and HEAD with If-None-Match: 304; with a wrong If-Match: 412',
    async ({ client, bucket, at }) => {
      const { ETag } = await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: '1' }));
      for (const Command of [GetObjectCommand, HeadObjectCommand]) {
        equal(await statusOf(client.send(new Command({ Bucket: bucket, Key: `${at}/a`, IfNoneMatch: ETag }))), 304);
        equal(await statusOf(client.send(new Command({ Bucket: bucket, Key: `${at}/a`, IfMatch: '"0"' }))), 412);
      }
    },
  ],
  [
    'byte ranges: middle, open end, suffix, beyond the end',
    async ({ client, bucket, at }) => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a`, Body: '0123456789' }));
      const part = async (Range: string) => {
        const got = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${at}/a`, Range }));
        return [await got.Body?.transformToString(), got.ContentRange];
      };
      deepEqual(await part('bytes=2-4'), ['234', 'bytes 2-4/10']);
      deepEqual(await part('bytes=7-'), ['789', 'bytes 7-9/10']);
      deepEqual(await part('bytes=-2'), ['89', 'bytes 8-9/10']);
      deepEqual(await part('bytes=8-100'), ['89', 'bytes 8-9/10']);
      equal(
        await statusOf(client.send(new GetObjectCommand({ Bucket: bucket, Key: `${at}/a`, Range: 'bytes=10-' }))),
        416,
      );
    },
  ],
  [
    'list with a delimiter groups common prefixes, also across pages',
    async ({ client, bucket, at }) => {
      for (const key of ['a', 'b/1', 'b/2', 'c', 'd/1', 'd/2/3', 'e'])
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/${key}`, Body: key }));
      for (const MaxKeys of [1, 2, 3, 1000]) {
        const { keys, prefixes } = await listAll(client, { Bucket: bucket, Prefix: `${at}/`, Delimiter: '/', MaxKeys });
        deepEqual(
          keys,
          ['a', 'c', 'e'].map((key) => `${at}/${key}`),
        );
        deepEqual(
          prefixes,
          ['b/', 'd/'].map((key) => `${at}/${key}`),
        );
      }
    },
  ],
  [
    'list pages by MaxKeys and starts after a key',
    async ({ client, bucket, at }) => {
      const names = ['1', '10', '2', '3', '4'].map((name) => `${at}/${name}`);
      for (const Key of names) await client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: Key }));
      deepEqual((await listAll(client, { Bucket: bucket, Prefix: at, MaxKeys: 2 })).keys, names);
      deepEqual((await listAll(client, { Bucket: bucket, Prefix: at, StartAfter: `${at}/10` })).keys, names.slice(2));
      const page = await client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: at, MaxKeys: 5 }));
      equal(page.IsTruncated, false);
      equal(page.KeyCount, 5);
    },
  ],
  [
    'DeleteObjects names what it deleted, absent keys included',
    async ({ client, bucket, at }) => {
      await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${at}/a&b`, Body: '1' }));
      const Objects = [{ Key: `${at}/a&b` }, { Key: `${at}/none` }];
      const answer = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
      deepEqual(answer.Deleted?.map(({ Key }) => Key).sort(), [`${at}/a&b`, `${at}/none`]);
      equal(answer.Errors, undefined);
      equal(await statusOf(client.send(new HeadObjectCommand({ Bucket: bucket, Key: `${at}/a&b` }))), 404);
    },
  ],
];

let runs = 0;

function proveStore(open: () => Promise<Target>): void {
  let target: Target;
  let store: BlobStore | undefined;
  beforeAll(async () => {
    target = await open();
    store = await openS3BlobStore(target.config);
  }, 30_000);
  afterAll(async () => {
    if (!store) return; // it could not be opened, and that is reported
    const keys = [];
    for await (const { key } of store.list(target.at)) keys.push(key);
    await store.delete(keys);
    store.close();
    target.client.destroy();
  }, 30_000);
  for (const { name, run } of blobStoreCases)
    test(name, () => run(store as BlobStore, `${target.at}/${runs++}`), 60_000);
  for (const [name, run] of serverCases) test(name, () => run({ ...target, at: `${target.at}/${runs++}` }), 30_000);
}

describe('memory twin', () => {
  for (const { name, run } of blobStoreCases) test(name, () => run(memoryBlobStore(), 'contract'));
});

describe('embedded object store, as its own process', () => {
  const dir = mkdtempSync(join(tmpdir(), 'object-store-'));
  const config = {
    region: 'eu-central-1',
    bucket: 'contract',
    accessKeyId: 'LOCALACCESSKEY',
    secretAccessKey: 'local secret/+=',
    forcePathStyle: true,
  };
  let server: ChildProcess;
  let embedded = '';
  beforeAll(async () => {
    const { child, port } = await startServer(dir, config);
    server = child;
    embedded = `http://127.0.0.1:${port}`;
  }, 30_000);
  afterAll(async () => {
    await stopped(server, 'SIGTERM');
    rmSync(dir, { recursive: true, force: true });
  }); // hooks run in reverse order: the server outlives the clean-up of proveStore
  proveStore(async () => targetOf({ ...config, endpoint: embedded }));

  test('an object whose name is also a prefix is listed (decision 28: not every store does)', async () => {
    const store = await openS3BlobStore({ ...config, endpoint: embedded, bucket: 'prefixes' });
    const options = { contentType: 'application/json', cacheControl: 'public,max-age=300' };
    const keys = ['date', 'date/2020-06-11', 'date/2020-06-11/hour', 'date/2020-06-11/hour/1'];
    for (const key of keys) await store.put(key, Buffer.from(key), options);
    const listed = [];
    for await (const { key } of store.list('date')) listed.push(key);
    expect(listed).toEqual(keys);
    store.close();
  });

  test('what was answered survives SIGKILL, and SIGTERM ends the process with status 0', async () => {
    const own = mkdtempSync(join(tmpdir(), 'object-store-kill-'));
    const first = await startServer(own, config);
    const store = await openS3BlobStore({ ...config, endpoint: `http://127.0.0.1:${first.port}`, attempts: 1 });
    const options = {
      contentType: 'application/zip',
      cacheControl: 'public,max-age=300',
      metadata: { 'cwa-hash': 'x' },
    };
    const answered = new Map<string, string>();
    // Killed in the middle of a stream of writes: each answered one must be whole afterwards.
    const writers = Array.from({ length: 8 }, async (_, w) => {
      for (let i = 0; ; i++) {
        const put = await store.put(`w${w}/${i}`, pattern(20_000 + w), options);
        if (put !== 'exists') answered.set(`w${w}/${i}`, put.etag);
        if (answered.size === 200) first.child.kill('SIGKILL');
      }
    });
    const ends = await Promise.allSettled(writers);
    for (const end of ends) expect(end).toMatchObject({ status: 'rejected', reason: { reason: 'UNREACHABLE' } });
    store.close();

    const second = await startServer(own, config);
    const again = await openS3BlobStore({ ...config, endpoint: `http://127.0.0.1:${second.port}` });
    expect(answered.size).toBeGreaterThanOrEqual(200);
    for (const [key, etag] of answered)
      expect(await again.get(key)).toMatchObject({ etag, metadata: { 'cwa-hash': 'x' } });
    again.close();
    expect(await stopped(second.child, 'SIGTERM')).toBe(0);
    rmSync(own, { recursive: true, force: true });
  }, 60_000);
});

const endpoint = process.env['S3_ENDPOINT'];
describe.skipIf(!endpoint)('real object store (S3_ENDPOINT)', () => {
  proveStore(async () => targetOf(realConfig(endpoint ?? '')));
});
test.runIf(!endpoint)('real object store: SKIPPED, S3_ENDPOINT is not set', ({ skip }) => {
  skip('S3_ENDPOINT is not set: only the embedded object store was tested');
});

function realConfig(address: string): S3BlobStoreConfig {
  const env = process.env;
  const file = env['S3_SECRET_ACCESS_KEY_FILE'];
  return {
    endpoint: address,
    region: env['S3_REGION'] ?? 'us-east-1',
    bucket: env['S3_BUCKET'] ?? 'contract',
    accessKeyId: env['S3_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: env['S3_SECRET_ACCESS_KEY'] ?? (file ? readFileSync(file, 'utf8').trim() : ''),
    forcePathStyle: true,
  };
}

function targetOf(config: S3BlobStoreConfig): Target {
  return { config, client: sdkClient(config), bucket: config.bucket, at: `contract-${Date.now().toString(36)}` };
}

function sdkClient(
  { endpoint: address, region, accessKeyId, secretAccessKey }: S3BlobStoreConfig,
  options: SdkOptions = {},
): S3Client {
  const credentials = { accessKeyId, secretAccessKey: String(secretAccessKey) };
  return new S3Client({
    ...(address ? { endpoint: address } : {}),
    region,
    credentials,
    forcePathStyle: true,
    maxAttempts: 1,
    ...options,
  });
}

async function listAll(client: S3Client, input: ConstructorParameters<typeof ListObjectsV2Command>[0]) {
  const keys: (string | undefined)[] = [];
  const prefixes: (string | undefined)[] = [];
  let ContinuationToken: string | undefined;
  do {
    const page = await client.send(new ListObjectsV2Command({ ...input, ContinuationToken }));
    keys.push(...(page.Contents ?? []).map(({ Key }) => Key));
    prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix));
    ContinuationToken = page.NextContinuationToken;
  } while (ContinuationToken);
  return { keys, prefixes };
}

async function faultOf(answer: Promise<unknown>): Promise<{ name?: string; $metadata?: { httpStatusCode?: number } }> {
  let fault = {};
  await rejects(answer, (error: object) => {
    fault = error;
    return true;
  });
  return fault;
}

async function statusOf(answer: Promise<unknown>): Promise<number | undefined> {
  return (await faultOf(answer)).$metadata?.httpStatusCode;
}

async function codeOf(answer: Promise<unknown>): Promise<string | undefined> {
  return (await faultOf(answer)).name;
}

/** Started as a process, not imported: lib knows nothing of dev. */
async function startServer(
  dir: string,
  config: { accessKeyId: string; secretAccessKey: string },
): Promise<{ child: ChildProcess; port: number }> {
  const main = fileURLToPath(new URL('../../dev/object-store/main.ts', import.meta.url));
  const env = {
    PATH: process.env['PATH'],
    OBJECT_STORE_DIR: dir,
    OBJECT_STORE_PORT: '0',
    OBJECT_STORE_ACCESS_KEY_ID: config.accessKeyId,
    OBJECT_STORE_SECRET_ACCESS_KEY: config.secretAccessKey,
  };
  const child = spawn(process.execPath, [main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface(child.stdout)) {
    const { event, port } = JSON.parse(line) as { event?: string; port?: number };
    if (event === 'listening' && port !== undefined) return { child, port };
  }
  throw new Error('the object store ended before it was listening');
}

async function stopped(child: ChildProcess, signal: 'SIGTERM'): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(signal);
    await once(child, 'exit');
  }
  return child.exitCode;
}
