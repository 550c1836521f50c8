import type { Pool } from '../../../lib/db/pool.ts';
import { countWaiting } from './key-pool.ts';
import { readNewestPackages } from './package-list.ts';
import { readLastGoodEnd, readRuns } from './run-history.ts';
import { countAssigned, readExcluded, readPublishedTotals } from './state.ts';

export type Overview = Awaited<ReturnType<typeof readOverview>>;

/** What the metrics tell of the tables, read over one connection so that runs keep theirs. `today`: days since 1970 UTC. */
export async function readOverview(pool: Pool, today: number) {
  return pool.withConnection(async (db) => ({
    lastRun: (await readRuns(db, 1))[0],
    lastGoodEnd: await readLastGoodEnd(db),
    totals: await readPublishedTotals(db),
    excluded: await readExcluded(db),
    waiting: await countWaiting(db),
    keysToday: await countAssigned(db, today * 24, today * 24 + 23),
    newestPackages: await readNewestPackages(db),
  }));
}
