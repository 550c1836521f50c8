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

/**
 * Deletes what is past its time (S 2.9). One process at a time does it; the others find the lock taken. Nothing is
 * logged: how many rows end in a minute says how many phones registered in a minute three weeks ago.
 */
export async function deleteExpiredRows(d: Pick<Deps, 'pool' | 'clock'>): Promise<void> {
  const now = d.clock.now();
  for (const [table, ms] of Object.entries(kept) as [ExpiringTable, number][]) {
    await inPortions(d, (tx) => deleteExpired(tx, table, before(now, ms), portion));
  }
  await inPortions(d, (tx) => deleteExpiredTeleTans(tx, now, before(now, lifetimes.teleTanLimit), portion));
}

async function inPortions(d: Pick<Deps, 'pool'>, remove: (tx: Tx) => Promise<number>): Promise<void> {
  for (let count = portion; count === portion; ) {
    count = await inTx(d.pool, 'delete-expired', async (tx) => ((await tryRetentionLock(tx)) ? remove(tx) : 0));
  }
}
