import { inTx, type Tx } from '../../../lib/db/tx.ts';
import { countTans, countTeleTans } from '../counts.ts';
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
 * logged: how many rows end in a minute says how many phones registered in a minute three weeks ago. TANs and teleTANs
 * that nobody used are counted, in steps as when they were issued.
 */
export async function deleteExpiredRows(d: Pick<Deps, 'pool' | 'clock' | 'metrics'>): Promise<void> {
  const now = d.clock.now();
  for (const [table, ms] of Object.entries(kept) as [ExpiringTable, number][]) {
    const { deleted, taken } = await inPortions(d, (tx) => deleteExpired(tx, table, before(now, ms), portion));
    // One that was used is not in the table any more.
    if (table === 'tan') countTans(d, 'expired', deleted);
    if (taken) return;
  }
  let unused = 0;
  await inPortions(d, async (tx) => {
    const gone = await deleteExpiredTeleTans(tx, now, before(now, lifetimes.teleTanLimit), portion);
    unused += gone.unused;
    return gone.deleted;
  });
  countTeleTans(d, 'expired', unused);
}

/**
 * `taken`: another process has the lock. It is at this table or has seen the end of it, and goes on from there; going on
 * beside it would take the lock from it in turn, and leave rows to both.
 */
async function inPortions(
  d: Pick<Deps, 'pool'>,
  remove: (tx: Tx) => Promise<number>,
): Promise<{ readonly deleted: number; readonly taken: boolean }> {
  let deleted = 0;
  for (;;) {
    const count = await inTx(d.pool, 'delete-expired', async (tx) =>
      (await tryRetentionLock(tx)) ? remove(tx) : undefined,
    );
    if (count === undefined) return { deleted, taken: true };
    deleted += count;
    if (count < portion) return { deleted, taken: false };
  }
}
