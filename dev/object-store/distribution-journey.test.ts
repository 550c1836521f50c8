import { createPublicKey } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Blob, BlobStore } from '../../lib/blob/blob.ts';
import { readBlobStoreConfig } from '../../lib/blob/config.ts';
import { openS3BlobStore } from '../../lib/blob/s3-blob-store.ts';
import { verifySignature } from '../../lib/exposure/signature.ts';
import { Secret } from '../../lib/process/secret.ts';
import { Killed, mortalLife } from '../../svc/distribution/fixtures/mortal-life.ts';
import {
  dateIndex,
  derivableKeys,
  hourIndex,
  openPackage,
  packageKey,
} from '../../svc/distribution/fixtures/read-store.ts';
import { testSigningKey, wholeRun, world } from '../../svc/distribution/fixtures/world.ts';
import { rebuildStore } from '../../svc/distribution/jobs/rebuild.ts';
import { runDistribution } from '../../svc/distribution/jobs/run.ts';
import { startObjectStore } from './object-store.ts';

/** The embedded server, over HTTP and from disk like any other. */
async function embedded(): Promise<BlobStore> {
  const dir = mkdtempSync(join(tmpdir(), 'journey-'));
  const [accessKeyId, secretAccessKey] = ['local', 'a secret of this test'];
  const server = await startObjectStore({ dir, port: 0, accessKeyId, secretAccessKey });
  onTestFinished(async () => {
    await server.close();
    rmSync(dir, { recursive: true, force: true });
  });
  return openS3BlobStore({
    endpoint: `http://127.0.0.1:${server.port}`,
    region: 'eu-central-1',
    bucket: 'journey',
    forcePathStyle: true,
    accessKeyId,
    secretAccessKey: new Secret(secretAccessKey),
  });
}

/** Everything below a prefix of its own, so that a bucket with other content can be used. */
function under(prefix: string, store: BlobStore): BlobStore {
  const cut = <B extends { key: string }>(blob: B): B => ({ ...blob, key: blob.key.slice(prefix.length) });
  return {
    async get(key, signal) {
      const blob = await store.get(prefix + key, signal);
      return blob && cut(blob);
    },
    async getIfChanged(key, etag) {
      const blob = await store.getIfChanged(prefix + key, etag);
      return blob === 'unchanged' || blob === undefined ? blob : cut(blob);
    },
    async head(key) {
      const head = await store.head(prefix + key);
      return head && cut(head);
    },
    put: (key, body, options) => store.put(prefix + key, body, options),
    delete: (keys) => store.delete(keys.map((key) => prefix + key)),
    async *list(below) {
      for await (const found of store.list(prefix + below)) yield cut(found);
    },
    close: store.close,
  };
}

async function contentsOf(store: BlobStore): Promise<{ objects: () => Map<string, Blob> }> {
  const objects = new Map<string, Blob>();
  for await (const { key } of store.list('')) objects.set(key, (await store.get(key)) as Blob);
  return { objects: () => objects };
}

const etagsOf = async (store: BlobStore): Promise<Map<string, string>> =>
  new Map([...(await contentsOf(store)).objects()].map(([key, { etag }]) => [key, etag]));

const stores: [string, () => Promise<BlobStore>][] = [['embedded object store', embedded]];
const endpoint = process.env['S3_ENDPOINT'];
if (endpoint) {
  stores.push(['real object store (S3_ENDPOINT)', () => openS3BlobStore(readBlobStoreConfig(process.env))]);
}
test.runIf(!endpoint)('distribution journey on a real object store: SKIPPED, S3_ENDPOINT is not set', ({ skip }) => {
  skip('S3_ENDPOINT is not set: only the embedded object store was tested');
});

test.each(stores)(
  'distribution journey on the %s: hours, midnight, unchanged runs, a death, lost objects, retention',
  async (_, open) => {
    const store = under(`journey-${Date.now().toString(36)}/`, await open());
    onTestFinished(async () => {
      await store.delete([...(await etagsOf(store)).keys()]);
      store.close();
    });
    const w = await world({ start: '2020-09-13T21:05:00Z' });
    const deps = { ...w.deps, blob: store };
    const run = () => wholeRun(deps);
    const at = (time: string) => w.clock.set(time);

    // An hour of keys, then midnight: packages, indexes, headers and signatures as phones expect them.
    await run();
    const keys = w.submit(200);
    at('2020-09-13T22:05:00Z');
    await run();
    at('2020-09-14T00:05:00Z');
    await run();
    const seen = await contentsOf(store);
    expect(dateIndex(seen)).toEqual(['2020-09-13']);
    expect(hourIndex(seen, '2020-09-13')).toEqual([21, 22, 23]);
    expect(derivableKeys(seen).filter((key) => !seen.objects().has(key))).toEqual([]);
    for (const key of [packageKey('DE', '2020-09-13', 21), packageKey('EUR', '2020-09-13')]) {
      const file = await openPackage(seen, key);
      expect(file.keyHex).toEqual(keys.map(({ keyData }) => keyData.toString('hex')).sort());
      const publicKey = createPublicKey(testSigningKey.reveal());
      expect(verifySignature(publicKey, file.bin, file.signatures[0]?.signature ?? Buffer.alloc(0))).toBe(true);
      expect(seen.objects().get(key)).toMatchObject({
        contentType: 'application/zip',
        cacheControl: 'public,max-age=86400,immutable',
        metadata: { 'cwa-hash': expect.stringMatching(/^[0-9a-f]{32}$/) as string },
        etag: expect.stringMatching(/^"[^"]+"$/) as string,
      });
    }
    const configuration = await store.head('version/v2/app_config_android');
    expect(await store.getIfChanged('version/v2/app_config_android', configuration?.etag ?? '')).toBe('unchanged');

    // Nothing is written again.
    const before = await etagsOf(store);
    await run();
    expect(await etagsOf(store)).toEqual(before);

    // A run dies after its second request reached the store; the next one finishes it and changes nothing published.
    w.submit(150, { age: 2 });
    at('2020-09-14T01:05:00Z');
    const life = mortalLife(deps.pool, store, { at: 'request', nth: 2, when: 'after' });
    await expect(runDied({ ...deps, ...life })).resolves.toBe(true);
    await run();
    const healed = await etagsOf(store);
    for (const [key, etag] of before) if (/\/\d+$/.test(key)) expect(healed.get(key)).toBe(etag);
    expect((await openPackage(await contentsOf(store), packageKey('DE', '2020-09-14', 0))).keys).toHaveLength(150);

    // Half of the bucket is lost and comes back as it was.
    await store.delete([...healed.keys()].filter((_key, i) => i % 2 === 0));
    const outcome = await rebuildStore(deps);
    expect(outcome).toMatchObject({
      missing: Math.ceil(healed.size / 2),
      equal: Math.ceil(healed.size / 2),
      failures: 0,
    });
    expect(await etagsOf(store)).toEqual(healed);

    // Sixteen days later nothing of those days is left, and every index still leads somewhere.
    at('2020-09-30T00:05:00Z');
    await run();
    const late = await contentsOf(store);
    expect([...late.objects().keys()].filter((key) => /2020-09-1[345]/.test(key))).toEqual([]);
    expect(derivableKeys(late).filter((key) => !late.objects().has(key))).toEqual([]);
  },
  180_000,
);

async function runDied(deps: Parameters<typeof runDistribution>[0]): Promise<boolean> {
  return runDistribution(deps).then(
    () => false,
    (error: unknown) => error instanceof Killed,
  );
}
