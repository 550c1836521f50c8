import { expect, test } from 'vitest';
import { recordedMetrics } from '../../lib/testing/telemetry.ts';
import { countedSigner } from './counted-signer.ts';
import { countedStore } from './counted-store.ts';
import type { Deps } from './deps.ts';
import { world, type WorldOptions } from './fixtures/world.ts';
import { runDistribution } from './jobs/run.ts';
import { observeDistribution } from './observe-distribution.ts';
import { SigningError } from './signer.ts';

/** A world as the process has it: everything counted. */
async function countedWorld(options: WorldOptions = {}) {
  const metrics = recordedMetrics('distribution');
  const w = await world({ ...options, metrics });
  const deps: Deps = {
    ...w.deps,
    blob: countedStore(w.store, metrics),
    signers: w.deps.signers.map((signer) => countedSigner(signer, metrics)),
  };
  observeDistribution(deps, 0);
  /** What another process of the same database would show after its start. */
  const restarted = () => {
    const fresh = recordedMetrics('distribution');
    observeDistribution({ ...deps, metrics: fresh }, 0);
    return fresh;
  };
  return { ...w, deps, metrics, restarted, tryRun: () => runDistribution(deps).catch(() => 'failed' as const) };
}

const runs = (w: Awaited<ReturnType<typeof countedWorld>>) =>
  Promise.all(
    ['done', 'incomplete', 'failed', 'busy'].map((outcome) =>
      w.metrics.seen('cwa.distribution.runs', { 'cwa.outcome': outcome }),
    ),
  );

test('runs are counted by how they ended, and measured unless they were refused', async () => {
  const w = await countedWorld();
  await w.tryRun();
  await Promise.all([w.tryRun(), w.tryRun()]);
  w.clock.set('2020-09-13T11:05:00Z');
  w.store.failWhere(({ key }) => key.endsWith('/hour/10'));
  await w.tryRun();
  w.store.failWhere(() => true);
  w.clock.set('2020-09-13T15:05:00Z');
  await w.tryRun();
  expect(await runs(w)).toEqual([2, 1, 1, 1]);
  expect(await w.metrics.seen('cwa.distribution.run.duration')).toBe(4);
});

test('age of the last good run and time to the next come from the database, restarts or not', async () => {
  const w = await countedWorld();
  const seen = (name: 'cwa.distribution.run.age' | 'cwa.distribution.next_run') =>
    Promise.all([w.metrics.seen(name), w.restarted().seen(name)]);
  await w.metrics.flush();
  expect(w.metrics.shown().metrics.map(({ descriptor }) => descriptor.name)).not.toContain('cwa.distribution.run.age');
  await w.tryRun();
  w.clock.set('2020-09-13T10:35:00Z');
  expect(await seen('cwa.distribution.run.age')).toEqual([1_800, 1_800]);
  expect(await seen('cwa.distribution.next_run')).toEqual([1_500, 1_500]);
  w.clock.set('2020-09-13T11:05:00Z');
  w.store.failWhere(({ key }) => key.endsWith('/hour/10'));
  await w.tryRun();
  w.clock.set('2020-09-13T12:10:00Z');
  // A run that left something out is no good run, but it was the one of its hour.
  expect(await seen('cwa.distribution.run.age')).toEqual([7_500, 7_500]);
  expect(await seen('cwa.distribution.next_run')).toEqual([-600, -600]);
});

test('keys: all in steps of 150, so that packages less padding tell of nobody', async () => {
  const w = await countedWorld();
  await w.tryRun();
  w.submit(150);
  w.submit(20, { origin: 'FR', visited: ['FR'] });
  w.submit(310, { level: 2 });
  w.submit(140, { origin: 'SE', visited: ['SE'] });
  w.submit(299, { age: 0 });
  w.clock.set('2020-09-13T11:05:00Z');
  await w.tryRun();
  const seen = (kind: string, metrics = w.metrics) =>
    metrics.seen('cwa.distribution.keys.published', { 'cwa.key.kind': kind });
  expect(await seen('diagnosis')).toBe(150);
  expect(await seen('padding')).toBe(0);
  expect(await w.metrics.seen('cwa.distribution.keys.waiting')).toBe(150);
  const excluded = (rule: string) => w.metrics.seen('cwa.distribution.keys.excluded', { 'cwa.rule': rule });
  expect(await Promise.all(['transmission-risk-level', 'countries', 'duplicate'].map(excluded))).toEqual([300, 0, 0]);

  w.clock.set('2020-09-14T02:05:00Z');
  await w.tryRun();
  w.submit(7);
  w.clock.set('2020-09-15T03:05:00Z');
  await w.tryRun();
  const { rows } = await w.database.pool.query<{ n: number }>(
    'select count(*) as n from key_pool where padding and assigned_hour is not null',
  );
  expect(rows[0]?.n).toBeGreaterThanOrEqual(133);
  expect(await seen('padding', w.restarted())).toBe((rows[0]?.n ?? 0) < 150 ? 0 : 150);
  expect(await seen('diagnosis', w.restarted())).toBe(450);
});

test('packages: how many, how large, how old, and how late they came, by window', async () => {
  const w = await countedWorld({ start: '2020-09-13T22:05:00Z' });
  await w.tryRun();
  w.submit(140);
  w.clock.set('2020-09-13T23:05:00Z');
  await w.tryRun();
  w.clock.set('2020-09-14T00:10:00Z');
  await w.tryRun();
  const packages = (region: string, window: string) =>
    w.metrics.seen('cwa.distribution.packages', { 'cwa.region': region, 'cwa.window': window });
  expect(await Promise.all([packages('DE', 'hour'), packages('EUR', 'hour'), packages('DE', 'day')])).toEqual([
    2, 2, 1,
  ]);

  const newest = w.store.objects().get('version/v1/diagnosis-keys/country/DE/date/2020-09-13')?.body.length;
  expect(newest).toBeGreaterThan(140 * 16);
  const size = { 'cwa.region': 'DE', 'cwa.window': 'day' };
  expect(await w.restarted().seen('cwa.distribution.package.size', size)).toBe(newest);

  await w.metrics.flush();
  const delays = w.metrics
    .shown()
    .metrics.find(({ descriptor }) => descriptor.name === 'cwa.distribution.publish.delay');
  const sums = delays?.dataPoints.map(({ attributes, value }) => [
    attributes['cwa.window'],
    (value as { sum: number }).sum,
  ]);
  expect(sums).toEqual([
    ['hour', 2 * 300 + 2 * 600],
    ['day', 2 * 600],
  ]);
});

test('the age of packages is that of the region which is furthest behind, and goes on growing', async () => {
  const w = await countedWorld();
  await w.tryRun();
  w.clock.set('2020-09-13T11:05:00Z');
  await w.tryRun();
  const age = () => w.restarted().seen('cwa.distribution.package.age', { 'cwa.window': 'hour' });
  expect(await age()).toBe(300);
  w.store.failWhere(({ key }) => key.includes('/EUR/') && key.endsWith('/hour/11'));
  w.clock.set('2020-09-13T12:05:00Z');
  await w.tryRun();
  expect(await age()).toBe(3_900);
  w.clock.set('2020-09-13T12:15:00Z');
  expect(await age()).toBe(4_500);
});

test('caps: keys of the open hour and of the day against the largest package, failures of a run against the most', async () => {
  const w = await countedWorld({ rules: { maximumKeys: 1_000 } });
  const caps = (cap: string, metrics = w.metrics) => metrics.seen('cwa.cap.utilization', { 'cwa.cap': cap });
  await w.tryRun();
  expect(await caps('failed-store-requests')).toBe(0);
  w.submit(450);
  w.submit(200, { age: 0 });
  w.store.failWhere(({ key }) => key.endsWith('/hour/10'));
  w.clock.set('2020-09-13T11:05:00Z');
  await w.tryRun();
  expect(await caps('day-package-keys')).toBe(0.45);
  expect(await caps('hour-package-keys')).toBe(0.2);
  // Two packages and the two indexes of the hour do not end in its number.
  expect(await caps('failed-store-requests', w.restarted())).toBe(0.4);
  w.clock.set('2020-09-14T00:05:00Z');
  expect(await caps('day-package-keys')).toBe(0);
});

test('requests to the store and signatures are counted, failed ones apart', async () => {
  const w = await countedWorld();
  await w.tryRun();
  w.submit(140);
  w.clock.set('2020-09-13T11:05:00Z');
  w.store.forgetRequests();
  const seen = (outcome: string) =>
    Promise.all([
      w.metrics.seen('cwa.distribution.store.requests', { 'cwa.store.operation': 'put', 'cwa.outcome': outcome }),
      w.metrics.seen('cwa.distribution.signatures', { 'cwa.outcome': outcome }),
    ]);
  const [putsBefore, signaturesBefore] = await seen('done');
  await w.tryRun();
  const puts = w.store.requests.filter(({ operation }) => operation === 'put').length;
  expect(puts).toBeGreaterThan(3);
  expect(await seen('done')).toEqual([(putsBefore ?? 0) + puts, (signaturesBefore ?? 0) + 2]);
  expect(await seen('failed')).toEqual([0, 0]);

  const broken = { ...w.deps.signers[0], sign: () => Promise.reject(new SigningError('TIMEOUT', 'X', 'is away')) };
  const signers = [countedSigner(broken as Deps['signers'][number], w.metrics)];
  w.clock.set('2020-09-13T12:05:00Z');
  w.store.failWhere(({ key }) => key.includes('/twp/'));
  await runDistribution({ ...w.deps, signers });
  // Packages are given up at their first signature, check-in hours at their first object.
  expect(await seen('failed')).toEqual([1, 1]);
});
