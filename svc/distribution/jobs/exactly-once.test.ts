import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ledger } from '../fixtures/ledger.ts';
import { Killed, mortalStore } from '../fixtures/mortal-store.ts';
import { type StoredKey, world, type World } from '../fixtures/world.ts';
import { openTestDatabase } from '../../../lib/testing/database.ts';
import { seededRandom } from '../../../lib/random/random.ts';
import { runDistribution } from './run.ts';

interface Simulation {
  readonly seed: string;
  readonly days: number;
  readonly keysPerHour: number;
  /** One run in so many is killed; one hour in so many has no run at all. */
  readonly killed: number;
  readonly missed: number;
}

/** Runs every hour, at any minute, with arrivals of every age and country, kills and gaps; answers what went wrong. */
async function simulate({ seed, days, keysPerHour, killed, missed }: Simulation): Promise<string[]> {
  const database = await openTestDatabase('distribution');
  try {
    const w: World = await world({ start: '2020-08-31T23:05:00Z', seed, database });
    const chance = seededRandom(`chance ${seed}`);
    const eur = ledger(w.store, 'EUR', w.clock.nowMs);
    const own = ledger(eur.blob, 'DE', w.clock.nowMs);
    const mortal = mortalStore(own.blob);
    const outlived: string[] = [];
    const deps = { ...w.deps, blob: mortal.blob };
    await runDistribution(deps);
    const first = Math.floor(w.clock.nowMs() / 3_600_000) + 1;
    // Two more days without arrivals let everything come out.
    for (let hour = first; hour < first + (days + 2) * 24; hour++) {
      if (hour < first + days * 24) arrive(w, chance, hour, keysPerHour);
      // Never miss the last hour of a day: a key on its last day could not be published any more (decision 24).
      if (hour % 24 !== 23 && chance.int(missed) === 0) continue;
      w.clock.set((hour + 1) * 3_600_000 + chance.int(3_599) * 1_000);
      mortal.killAt(chance.int(killed) === 0 ? 1 + chance.int(20) : 0, chance.int(2) === 0 ? 'before' : 'after');
      await runDistribution(deps).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      mortal.killAt(0, 'before');
      await runDistribution(deps);
      if (await holdsOldKeys(w)) outlived.push(`keys outlived their retention at ${w.clock.now().toISOString()}`);
    }
    const isOwn = ({ visited }: StoredKey): boolean => visited.includes('DE');
    return [
      ...outlived,
      ...eur.faults,
      ...own.faults,
      ...wrongKeys(w.submission.keys, eur),
      ...wrongKeys(w.submission.keys.filter(isOwn), own),
    ];
  } finally {
    await database.close();
  }
}

function arrive(w: World, chance: ReturnType<typeof seededRandom>, hour: number, keysPerHour: number): void {
  for (let i = chance.int(2 * keysPerHour + 1); i > 0; i--) {
    w.clock.set(Math.max(w.clock.nowMs(), hour * 3_600_000 + chance.int(3_600) * 1_000));
    const age = chance.int(15);
    const country = chance.int(8) === 0 ? { origin: 'FR', visited: chance.int(2) === 0 ? ['FR'] : ['FR', 'DE'] } : {};
    w.submit(1, {
      age,
      period: age === 0 ? 1 + (hour % 24) * 6 : 144,
      level: 3 + chance.int(6),
      submissionHour: hour,
      ...country,
    });
  }
}

/** Decision 24: after a run nothing is left that is older than 14 days. */
async function holdsOldKeys(w: World): Promise<boolean> {
  const firstStart = (Math.floor(w.clock.nowMs() / 86_400_000) - 14) * 144;
  const { rows } = await w.database.pool.query(
    'select 1 from key_pool where rolling_start_interval_number < $1 limit 1',
    [firstStart],
  );
  return rows.length > 0;
}

function wrongKeys(keys: readonly StoredKey[], book: ReturnType<typeof ledger>): string[] {
  return keys.flatMap((key) => {
    const hex = key.keyData.toString('hex');
    const hours = book.hours.get(hex) ?? [];
    const days = book.days.get(hex) ?? [];
    if (hours.length === 1 && days.length === 1 && hours[0]?.startsWith(days[0] ?? '-')) return [];
    return [
      `a key of ${key.start / 144} submitted ${key.submissionHour} came out in hours [${hours}] and days [${days}]`,
    ];
  });
}

test('D row 25: no loss, no repeat, 40 days at 10 keys/h hourly: each key in exactly one hour file and one day file', async () => {
  expect(await simulate({ seed: 'forty days', days: 40, keysPerHour: 10, killed: 20, missed: 1_000_000 })).toEqual([]);
}, 180_000);

test('D row 25: the same for random arrivals at 1 to 40 keys an hour, outages, kills and clock positions', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(1, 10, 20, 40), async (seed, keysPerHour) => {
      expect(await simulate({ seed: String(seed), days: 3, keysPerHour, killed: 3, missed: 6 })).toEqual([]);
    }),
    { numRuns: 4, seed: 4_919 },
  );
}, 180_000);
