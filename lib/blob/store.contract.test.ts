import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { Secret } from '../process/secret.ts';
import { blobStoreCases, pattern } from '../testing/blob-store-contract.ts';
import { memoryBlobStore } from '../testing/memory-blob-store.ts';
import type { BlobStore } from './blob.ts';
import { readBlobStoreConfig } from './config.ts';
import { serverCases, type Target, targetOf } from './fixtures/server-cases.ts';
import { openS3BlobStore } from './s3-blob-store.ts';

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
    secretAccessKey: new Secret('local secret/+='),
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
    const store = await openS3BlobStore({
      ...config,
      endpoint: `http://127.0.0.1:${first.port}`,
      clock: { sleep: async () => {} },
    });
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
  proveStore(async () => targetOf(readBlobStoreConfig({ S3_BUCKET: 'contract', ...process.env })));
});
test.runIf(!endpoint)('real object store: SKIPPED, S3_ENDPOINT is not set', ({ skip }) => {
  skip('S3_ENDPOINT is not set: only the embedded object store was tested');
});

/** Started as a process, not imported: lib knows nothing of dev. */
async function startServer(
  dir: string,
  config: { accessKeyId: string; secretAccessKey: Secret },
): Promise<{ child: ChildProcess; port: number }> {
  const main = fileURLToPath(new URL('../../dev/object-store/main.ts', import.meta.url));
  const env = {
    PATH: process.env['PATH'],
    OBJECT_STORE_DIR: dir,
    OBJECT_STORE_PORT: '0',
    OBJECT_STORE_ACCESS_KEY_ID: config.accessKeyId,
    OBJECT_STORE_SECRET_ACCESS_KEY: config.secretAccessKey.reveal(),
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
