import type { Pool, Queryable } from './pool.ts';
import { inTx, type Tx } from './tx.ts';

/** Rows a transaction, so that none is long even after an outage. */
const portion = 5_000;

/** Rows of one kind whose time is over. */
export interface Expiring {
  /** Name of the transactions. */
  readonly transaction: string;
  /** Ends at most `limit` of them and answers how many. */
  end(tx: Tx, limit: number): Promise<number>;
}

/**
 * Ends what is past its time, kind after kind, and answers how many of each. Of several processes one goes on to the
 * end: whoever finds another at it leaves the rest to that one. Going on beside it would take the lock from it in turn,
 * and leave rows to both.
 */
export async function expireInPortions(pool: Pool, kinds: readonly Expiring[]): Promise<number[]> {
  const ended = kinds.map(() => 0);
  for (const [kind, { transaction, end }] of kinds.entries()) {
    let count: number | undefined;
    do {
      count = await inTx(pool, transaction, async (tx) =>
        (await tryRetentionLock(tx)) ? end(tx, portion) : undefined,
      );
      if (count === undefined) return ended;
      ended[kind] = (ended[kind] ?? 0) + count;
    } while (count === portion);
  }
  return ended;
}

/** False when another process is at it; the lock ends with the transaction. */
async function tryRetentionLock(tx: Queryable): Promise<boolean> {
  const { rows } = await tx.query<{ locked: boolean }>(
    `select pg_try_advisory_xact_lock(hashtext('retention')) as locked`,
  );
  return rows[0]?.locked === true;
}
