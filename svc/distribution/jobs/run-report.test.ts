import { expect, onTestFinished, test } from 'vitest';
import { type KeyPackage, MetricsServiceService, RunOutcome } from '../../../gen/mesh/cwa/metrics/v1/metrics.ts';
import { clientOf } from '../../../lib/rpc/client.ts';
import { serve } from '../../../lib/testing/rpc.ts';
import { testTelemetry } from '../../../lib/testing/telemetry.ts';
import { Killed, mortalLife } from '../fixtures/mortal-life.ts';
import { openPackage, packageKey } from '../fixtures/read-store.ts';
import { type World, world } from '../fixtures/world.ts';
import { publishedDetails } from '../published-details.ts';
import { readRuns } from '../store/run-history.ts';
import { runDistribution } from './run.ts';

const outcomes = async ({ database }: World): Promise<string[]> =>
  (await readRuns(database.pool, 100)).map(({ outcome }) => outcome);

test('the history holds runs that were done, incomplete or failed, newest first, and none that was refused', async () => {
  const w = await world();
  await Promise.all([runDistribution(w.deps), runDistribution(w.deps)]);
  w.clock.set('2020-09-13T11:05:00Z');
  w.store.failWhere(({ key }) => key.endsWith('/DE/date/2020-09-13/hour/10'));
  await runDistribution(w.deps);
  w.clock.set('2020-09-13T15:05:00Z');
  w.store.heal();
  w.store.failWhere(() => true);
  await expect(runDistribution(w.deps)).rejects.toThrow('requests to the object store failed');
  w.store.heal();
  const { objectsPut } = await w.run();
  expect(await outcomes(w)).toEqual(['done', 'failed', 'incomplete', 'done']);
  const [last, failed, incomplete, first] = await readRuns(w.database.pool, 100);
  expect(last).toMatchObject({ started_at: w.clock.now(), packages: 9, objects_put: objectsPut, failures: 0 });
  expect(failed).toMatchObject({ packages: 0, objects_put: 0, failures: 6 });
  expect(incomplete).toMatchObject({ packages: 1, failures: 1, started_at: new Date('2020-09-13T11:05:00Z') });
  expect(first).toMatchObject({ packages: 0, objects_put: 17, objects_deleted: 0 });
});

test('a run that was killed has no row, and none that says it failed: the next one is all there is', async () => {
  const w = await world();
  for (const at of ['request', 'statement'] as const) {
    const life = mortalLife(w.deps.pool, w.store, { at, nth: 5, when: 'before' });
    await expect(runDistribution({ ...w.deps, ...life })).rejects.toThrow(Killed);
    expect(await outcomes(w)).toEqual([]);
  }
  await w.run();
  expect(await outcomes(w)).toEqual(['done']);
});

test('a history that cannot be written takes nothing from the run: it is told, and that is all', async () => {
  const w = await world();
  await w.database.pool.query('alter table distribution_run rename to elsewhere');
  await w.run();
  expect(w.log.lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'run-not-recorded' }));
  expect(w.store.objects().size).toBe(17);
});

test('a row is gone with the first run that begins more than 40 days after it', async () => {
  const w = await world({ start: '2020-09-01T00:05:00Z' });
  await w.run();
  w.clock.set('2020-09-02T00:05:00Z');
  await w.run();
  w.clock.set('2020-10-11T00:05:00Z');
  await w.run();
  expect(await outcomes(w)).toHaveLength(3);
  w.clock.set('2020-10-11T00:05:01Z');
  await w.run();
  const starts = (await readRuns(w.database.pool, 100)).map(({ started_at }) => started_at.toISOString());
  expect(starts).toEqual(['2020-10-11T00:05:01.000Z', '2020-10-11T00:05:00.000Z', '2020-09-02T00:05:00.000Z']);
});

/** What is told of packages is what phones can read; answers how many keys padded ones have. */
async function comparedWithFiles(w: World, packages: readonly KeyPackage[]): Promise<number> {
  let padded = 0;
  for (const { region, windowEnd, day, keys, paddingKeys, bytes } of packages) {
    const start = new Date((windowEnd?.getTime() ?? 0) - (day ? 86_400_000 : 3_600_000));
    const hour = day ? [] : [start.getUTCHours()];
    const key = packageKey(region, start.toISOString().slice(0, 10), ...hour);
    const file = await openPackage(w.store, key);
    expect([key, keys, bytes]).toEqual([key, file.keys.length, file.zip.length]);
    expect([0, keys], 'the keys of a single person cannot be had from it').toContain(paddingKeys);
    padded += paddingKeys;
  }
  return padded;
}

test('padding for keys of other countries is in EUR alone', async () => {
  const w = await world({ start: '2020-09-12T20:05:00Z' });
  await w.run();
  w.submit(5, { origin: 'FR', visited: ['FR'] });
  for (let hour = 0; hour < 26; hour++) await w.nextHour();
  const { packages } = await publishedDetails({ pool: w.database.pool, clock: w.clock })();
  const { rows } = await w.database.pool.query<{ n: number }>('select count(*) as n from key_pool where padding');
  expect(await comparedWithFiles(w, packages)).toBe(5 + (rows[0]?.n ?? 0));
  expect(rows[0]?.n).toBeGreaterThanOrEqual(135);
});

test('the ops API is told of runs and packages, at most 50 of each, newest first; not how much is padding', async () => {
  const w = await world({ start: '2020-09-12T22:05:00Z' });
  await w.run();
  w.submit(30);
  w.submit(150, { origin: 'FR', visited: ['FR'] });
  // FR alone reaches the minimum; the own keys wait for a day and are padded.
  for (let hour = 0; hour < 27; hour++) await w.nextHour();
  for (let minute = 0; minute < 40; minute++) {
    w.clock.advance(60_000);
    await w.run();
  }
  const server = await serve('distribution', [], {
    telemetry: await testTelemetry('distribution'),
    published: publishedDetails({ pool: w.database.pool, clock: w.clock }),
  });
  onTestFinished(() => server.stop());
  const name = 'cwa.metrics.v1.MetricsService';
  const client = clientOf(await server.channel('ops-api'), name, MetricsServiceService, { deadlineMs: 20_000 });
  const { runs, packages } = await client.getMetrics({});
  expect(runs).toHaveLength(50);
  expect(runs[0]).toEqual({
    startedAt: w.clock.now(),
    durationSeconds: 0,
    outcome: RunOutcome.RUN_OUTCOME_DONE,
    packages: 0,
    objectsPut: 0,
    objectsDeleted: 0,
  });
  expect(packages).toHaveLength(50);
  const ends = packages.map(({ windowEnd }) => windowEnd?.getTime() ?? 0);
  expect(ends).toEqual([...ends].sort((a, b) => b - a));
  expect(packages[0]).toMatchObject({ region: 'DE', windowEnd: new Date('2020-09-14T01:00:00Z'), day: false, keys: 0 });

  const padded = await comparedWithFiles(w, packages);
  const { rows } = await w.database.pool.query<{ n: number }>('select count(*) as n from key_pool where padding');
  const [n = 0] = rows.map((row) => row.n);
  expect(n).toBeGreaterThan(109);
  // In DE and in EUR, in the hour; the day after is not over.
  expect(padded).toBe(4 * (30 + n));
});
