import { inTx, type Tx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import { before, lifetimes } from '../lifetimes.ts';
import { deleteExpired, deleteExpiredTeleTans, type ExpiringTable, tryRetentionLock } from '../store/retention.ts';

/** Rows a transaction, so that none is long even after an outage. */
const portion = 5_000;

const kept: Readonly<Record<ExpiringTable, number>> = {
  tan: lifetimes.tanKept,
  session: lifetimes.session,
  registered_hash: lifetimes.registeredHash,
  tan_tombstone: lifetimes.tanTombstone,
  tele_tan_attempt: lifetimes.teleTanAttempt,
};

/** Deletes what is past its time (S 2.9). One process at a time does it; the others find the lock taken and wait. */
export async function deleteExpiredRows(d: Pick<Deps, 'pool' | 'clock' | 'log'>): Promise<void> {
  const now = d.clock.now();
  let total = 0;
  for (const [table, ms] of Object.entries(kept) as [ExpiringTable, number][]) {
    total += await inPortions(d, (tx) => deleteExpired(tx, table, before(now, ms), portion));
  }
  total += await inPortions(d, (tx) => deleteExpiredTeleTans(tx, now, before(now, lifetimes.teleTanLimit), portion));
  // One number for all tables: less is told about single people.
  if (total > 0) d.log.info('expired-rows-deleted', { count: total });
}

async function inPortions(d: Pick<Deps, 'pool'>, remove: (tx: Tx) => Promise<number>): Promise<number> {
  let total = 0;
  for (let count = portion; count === portion; total += count) {
    count = await inTx(d.pool, 'delete-expired', async (tx) => ((await tryRetentionLock(tx)) ? remove(tx) : 0));
  }
  return total;
}
