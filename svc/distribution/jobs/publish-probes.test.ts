import { createPublicKey, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { BlobStoreError } from '../../../lib/blob/blob.ts';
import { trustedKeys } from '../../../lib/exposure/signature-list.ts';
import { recordedMetrics } from '../../../lib/testing/telemetry.ts';
import { openKeyPackage } from '../../../phone/package-check.ts';
import { testSigningKey, type World, world } from '../fixtures/world.ts';
import { rebuildStore } from './rebuild.ts';
import { runDistribution } from './run.ts';

/** The archive of the prober's keys (decision 35): signed like a package, and otherwise as if it were not there. */
const trusted = trustedKeys({
  '262-v1': createPublicKey(testSigningKey.reveal()).export({ type: 'spki', format: 'pem' }),
});
const hourOf = (w: World): number => Math.floor(w.clock.nowMs() / 3_600_000);

async function watchedWorld() {
  const w = await world();
  const metrics = recordedMetrics('distribution');
  Object.assign(w.deps, { metrics });
  return { ...w, metrics };
}

function probe(w: World, count = 14): string[] {
  const made = Array.from({ length: count }, (_, age) => ({
    keyData: randomBytes(16),
    rollingStartIntervalNumber: (Math.floor(hourOf(w) / 24) - age) * 144,
    rollingPeriod: 144,
    transmissionRiskLevel: 1 + (age % 8),
  }));
  w.probeKeys.push(...made);
  w.probeKeys.sort((a, b) => Buffer.compare(a.keyData, b.keyData));
  return made.map(({ keyData }) => keyData.toString('hex'));
}

async function archive(w: World, hour = hourOf(w)) {
  const blob = await w.store.get(`probe/${hour}`);
  const file = await openKeyPackage(blob?.body ?? Buffer.alloc(0), trusted);
  return { blob, file, hex: file.keys.map(({ keyData }) => Buffer.from(keyData ?? '').toString('hex')) };
}

const published = (w: World) => [...w.store.objects().keys()].filter((key) => !key.startsWith('probe/'));

test('keys of the prober come into a signed archive of their hour, and nowhere else', async () => {
  const w = await watchedWorld();
  const without = await w.run();
  const before = published(w);
  const keys = probe(w);
  expect(await w.run()).toEqual({ ...without, objectsPut: 0 });
  const { blob, file, hex } = await archive(w);
  expect(hex).toEqual([...keys].sort());
  expect(file).toMatchObject({ region: 'PROBE', start: hourOf(w) * 3_600, end: (hourOf(w) + 1) * 3_600 });
  expect(blob).toMatchObject({ contentType: 'application/zip', cacheControl: 'private,no-store' });
  expect(published(w)).toEqual(before);
  expect(await w.database.rowCount('key_pool')).toBe(0);
  expect(await w.metrics.seen('cwa.distribution.probes', { 'cwa.outcome': 'published' })).toBe(1);
  // Nor can a rebuilt store bring them to phones.
  await rebuildStore(w.deps);
  expect(published(w)).toEqual(before);
});

test('an archive is written again when keys have come, and only then', async () => {
  const w = await world();
  probe(w);
  await w.run();
  w.store.forgetRequests();
  await w.run();
  expect(w.store.requests).toEqual([]);
  const more = probe(w);
  await w.run();
  expect(w.store.requests.map(({ operation }) => operation)).toEqual(['put']);
  expect((await archive(w)).hex).toEqual(expect.arrayContaining(more));
});

test('without keys of the prober the store is not asked', async () => {
  const w = await watchedWorld();
  await w.run();
  w.store.forgetRequests();
  await w.run();
  expect(w.store.requests).toEqual([]);
  expect(await w.metrics.seen('cwa.distribution.probes')).toBe(0);
});

test('an archive is deleted after 24 hours', async () => {
  const w = await world();
  probe(w);
  await w.run();
  const hour = hourOf(w);
  w.probeKeys.length = 0;
  w.clock.set((hour + 24) * 3_600_000 - 1);
  await w.run();
  expect(w.store.objects().has(`probe/${hour}`)).toBe(true);
  w.clock.set((hour + 24) * 3_600_000);
  await w.run();
  expect([...w.store.objects().keys()].filter((key) => key.startsWith('probe/'))).toEqual([]);
  expect(await w.database.rowCount('probe_object')).toBe(0);
});

test.each(['submission does not answer', 'the store refuses'])(
  '%s: the run of the real packages does not fail, the failure is told',
  async (what) => {
    const w = await watchedWorld();
    await w.run();
    w.submit(150);
    const keys = probe(w);
    const { put } = w.store;
    const broken = {
      ...w.deps,
      ...(what.startsWith('submission')
        ? { probes: { listProbeKeys: () => Promise.reject(new Error('down')) } }
        : {
            blob: {
              ...w.store,
              put: (key: string, ...rest: [Uint8Array, Parameters<typeof put>[2]]) =>
                key.startsWith('probe/') ? Promise.reject(new BlobStoreError('REFUSED', 'no')) : put(key, ...rest),
            },
          }),
    };
    expect(await runDistribution(broken)).toMatchObject({ failures: 0, keysRead: 150 });
    expect(w.log.lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'probe-keys-not-published' }));
    expect(await w.metrics.seen('cwa.distribution.probes', { 'cwa.outcome': 'failed' })).toBe(1);
    await w.run();
    expect((await archive(w)).hex).toEqual([...keys].sort());
  },
);
