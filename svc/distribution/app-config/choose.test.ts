import { expect, test } from 'vitest';
import { openArchive } from '../../../lib/exposure/export-archive.ts';
import { decodeConfigAndroid } from '../../../lib/exposure/app-config.ts';
import { world } from '../fixtures/world.ts';
import { runDistribution } from '../jobs/run.ts';
import { readConfigurationHistory, requestRollback } from '../store/configuration.ts';
import { changedConfiguration } from './source.ts';

const android = 'version/v2/app_config_android';

async function setUp() {
  const w = await world();
  const puts: string[] = [];
  /** A run with these values configured; answers what was written of the configuration. */
  const run = async (changes: unknown) => {
    w.store.forgetRequests();
    w.clock.advance(60_000);
    await runDistribution({ ...w.deps, configuration: changedConfiguration(w.deps.configuration, changes) });
    const put = w.store.requests.filter(({ operation, key }) => operation === 'put' && key.includes('app_config'));
    puts.push(...put.map(({ key }) => key));
    return put.map(({ key }) => key);
  };
  const age = async () => {
    const { bin } = await openArchive(w.store.objects().get(android)?.body ?? Buffer.alloc(0));
    return decodeConfigAndroid(bin).riskCalculationParameters?.maxEncounterAgeInDays;
  };
  const history = async () =>
    (await readConfigurationHistory(w.database.pool)).map(({ version, restores }) => [version, restores]);
  return { w, run, age, history, etag: () => w.store.objects().get(android)?.etag };
}

const ageOf = (maxEncounterAgeInDays: number) => ({ riskCalculation: { v2: { maxEncounterAgeInDays } } });
const both = ['version/v2/app_config_android', 'version/v2/app_config_ios'];

test('history: every published configuration is kept once, with its time and hash; an unchanged one is no version', async () => {
  const { w, run, history } = await setUp();
  expect(await run({})).toHaveLength(5);
  expect(await run({})).toEqual([]);
  expect(await history()).toEqual([[1, null]]);
  expect(await run(ageOf(14))).toEqual(both);
  expect(await history()).toEqual([
    [2, null],
    [1, null],
  ]);
  const versions = await readConfigurationHistory(w.database.pool);
  expect(versions[0]?.published_at).toEqual(w.clock.now());
  expect(new Set(versions.map(({ content_hash }) => content_hash)).size).toBe(2);
});

test('rollback: the older content is published again as a new version, its ETag changes exactly once, restarts keep it', async () => {
  const { w, run, age, history, etag } = await setUp();
  await run({});
  const first = etag();
  await run(ageOf(14));
  expect(await age()).toBe(14);
  const second = etag();
  await requestRollback(w.database.pool, 1);
  expect(await run(ageOf(14))).toEqual(both);
  expect(await age()).toBe(10);
  // Deterministic signatures (decision 30): the same content is the same object as before.
  expect(etag()).toBe(first);
  expect(etag()).not.toBe(second);
  for (let i = 0; i < 3; i++) expect(await run(ageOf(14))).toEqual([]);
  expect(await history()).toEqual([
    [3, 1],
    [2, null],
    [1, null],
  ]);
});

test('a rollback ends when something else is configured, and a second one goes to any version', async () => {
  const { w, run, age, history } = await setUp();
  await run({});
  await run(ageOf(14));
  await requestRollback(w.database.pool, 1);
  await run(ageOf(14));
  expect(await run(ageOf(12))).toEqual(both);
  expect(await age()).toBe(12);
  expect(w.log.lines).toContainEqual(expect.objectContaining({ event: 'configuration-rollback-ended' }));
  expect(await run(ageOf(12))).toEqual([]);
  await requestRollback(w.database.pool, 2);
  await run(ageOf(12));
  expect(await age()).toBe(14);
  await requestRollback(w.database.pool, 4);
  await run(ageOf(12));
  expect(await age()).toBe(12);
  expect(await history()).toEqual([
    [6, 4],
    [5, 2],
    [4, null],
    [3, 1],
    [2, null],
    [1, null],
  ]);
});

test('a rollback that has ended does not come back with the values that it stood in for', async () => {
  const { w, run, age } = await setUp();
  await run({});
  await run(ageOf(14));
  await requestRollback(w.database.pool, 1);
  await run(ageOf(14));
  expect(await age()).toBe(10);
  await run(ageOf(12));
  expect(await run(ageOf(14))).toEqual(both);
  expect(await age()).toBe(14);
});

test('a version that does not exist cannot be asked for', async () => {
  const { w, run } = await setUp();
  await run({});
  await expect(requestRollback(w.database.pool, 7)).rejects.toThrow();
  expect(await run({})).toEqual([]);
});
