import { expect, test } from 'vitest';
import { type Death, Killed, type Life, mortalLife } from '../fixtures/mortal-life.ts';
import { derivableKeys } from '../fixtures/read-store.ts';
import { type World, world } from '../fixtures/world.ts';
import { cloneTestDatabase } from '../../../lib/testing/database.ts';
import { silentLog } from '../../../lib/telemetry/log.ts';
import { readRuns } from '../store/run-history.ts';
import { runDistribution } from './run.ts';

/** Every statement takes minutes; then one in so many, another one each day of the month. `kill-points:distribution` sets 1. */
const every = Number(process.env['KILL_POINTS_EVERY'] ?? 6);
const offset = new Date().getUTCDate() % every;

const contents = (w: World) =>
  new Map([...w.store.objects()].map(([key, { body, metadata }]) => [key, { body: body.toString('hex'), metadata }]));

/** Two days of hours up to just before the run that will die. */
async function historyUntil(start: string, end: string): Promise<World> {
  const w = await world({ start });
  await w.run();
  while (w.clock.nowMs() + 3_600_000 < Date.parse(end)) {
    arrive(w);
    await w.nextHour();
  }
  arrive(w);
  w.clock.set(end);
  await w.database.pool.close();
  return w;
}

function arrive(w: World): void {
  w.submit(150);
  w.submit(30, { origin: 'FR', visited: ['FR'] });
}

/** The same world once more: its own copy of database, store and waiting keys. */
async function copyOf(history: World): Promise<World> {
  const w = await world({
    start: history.clock.now().toISOString(),
    database: await cloneTestDatabase(history.database),
  });
  for (const [key, { body, contentType = '', cacheControl = '', metadata }] of history.store.objects()) {
    await w.store.put(key, body, { contentType, cacheControl, metadata });
  }
  w.submission.keys.push(...history.submission.keys);
  return w;
}

async function dieIn(w: World, death?: Death): Promise<Life> {
  const life = mortalLife(w.deps.pool, w.store, death);
  await runDistribution({ ...w.deps, ...life, log: silentLog }).catch((error: unknown) => {
    if (death === undefined || !(error instanceof Killed)) throw error;
  });
  expect(life.hasDied()).toBe(death !== undefined);
  return life;
}

/** A dead process writes no history, so its run is not among those that failed. */
async function outcomesSince({ database }: World, runsBefore: number): Promise<string[]> {
  const runs = await readRuns(database.pool, 1_000);
  return runs.slice(0, runs.length - runsBefore).map(({ outcome }) => outcome);
}

/** Died when its row was written, before it knew. */
const isAtTheEnd = ({ at, nth, when }: Death, { statement }: Life['counts']): boolean =>
  at === 'statement' && nth === statement && when === 'after';

test.each([
  ['an ordinary hour', '2020-09-01T18:05:00Z', '2020-09-01T21:05:00Z'],
  ['the first run after midnight, with day packages and deletions', '2020-08-31T22:05:00Z', '2020-09-02T00:05:00Z'],
])(
  'a run that dies at a store request or a database statement in %s is finished by the next: no torn index, no changed package, no missing key',
  async (what, start, end) => {
    const history = await historyUntil(start, end);
    const whole = await copyOf(history);
    const runsBefore = await whole.database.rowCount('distribution_run');
    const { counts } = await dieIn(whole);
    const expected = contents(whole);
    const lives = (['request', 'statement'] as const).flatMap((at) =>
      Array.from({ length: counts[at] }, (_, i) => ({ at, nth: i + 1 }))
        // The last statement writes the history, when everything is out and the lease is given back.
        .filter(({ nth }) => at === 'request' || nth % every === offset || nth === counts.statement)
        .flatMap(({ nth }) => (['before', 'after'] as const).map((when) => ({ at, nth, when }))),
    );
    for (const death of lives) {
      const w = await copyOf(history);
      await dieIn(w, death);
      const stored = w.store.objects();
      const where = JSON.stringify(death);
      expect(
        derivableKeys(w.store).filter((key) => !stored.has(key)),
        where,
      ).toEqual([]);
      await w.run();
      expect(contents(w), where).toEqual(expected);
      expect(w.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
      expect(await outcomesSince(w, runsBefore)).toEqual(isAtTheEnd(death, counts) ? ['done', 'done'] : ['done']);
      await w.database.close();
    }
    const killed = (at: Death['at']): number => lives.filter((death) => death.at === at).length;
    process.stdout.write(
      `kill points in ${what}: ${killed('request')} at ${counts.request} store requests, ${killed('statement')} at ${counts.statement} database statements\n`,
    );
    expect(killed('request')).toBe(2 * counts.request);
  },
  1_200_000,
);
