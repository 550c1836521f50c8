import { expect, test } from 'vitest';
import { world, type World } from './fixtures/world.ts';
import { runDistribution } from './jobs/run.ts';

/** What a newer run does first. */
const overrule = (w: World) => w.database.pool.query('update distribution_state set run_number = run_number + 1');

test('D row 43: single runner, two runs at once: one works, one leaves; afterwards the lease is free', async () => {
  const w = await world();
  const outcomes = await Promise.all([runDistribution(w.deps), runDistribution(w.deps)]);
  expect(outcomes.filter((outcome) => outcome === 'busy')).toHaveLength(1);
  const { rows } = await w.database.pool.query(
    `select 1 from pg_locks where locktype = 'advisory'
     and database = (select oid from pg_database where datname = current_database())`,
  );
  expect(rows).toEqual([]);
  expect(await w.run()).toMatchObject({ objectsPut: 0 });
});

test('a run that was overruled writes nothing more', async () => {
  const w = await world();
  const put = w.store.put.bind(w.store);
  w.store.put = async (...args) => {
    await overrule(w);
    return put(...args);
  };
  await expect(runDistribution(w.deps)).rejects.toThrow('newer distribution run');
  expect(await w.database.rowCount('published_object')).toBe(0);
});

test('a run that is overruled while it reads takes over no key, closes no hour and publishes nothing', async () => {
  const w = await world();
  await w.run();
  w.submit(140);
  w.clock.set('2020-09-13T11:05:00Z');
  const before = w.store.objects();
  const { client } = w.submission;
  const submission: typeof client = {
    async *streamDiagnosisKeys(request, call) {
      await overrule(w);
      yield* client.streamDiagnosisKeys(request, call);
    },
  };
  await expect(runDistribution({ ...w.deps, submission })).rejects.toThrow('newer distribution run');
  for (const table of ['key_pool', 'hour_package']) expect(await w.database.rowCount(table)).toBe(0);
  expect(w.store.objects()).toEqual(before);
  expect(w.log.lines.filter(({ event }) => event === 'keys-not-read')).toEqual([]);
  expect(await w.run()).toMatchObject({ keysRead: 140, keysAssigned: 140 });
});
