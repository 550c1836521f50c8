import type { Pool, Queryable } from '../../../lib/db/pool.ts';

/** Any constant of this database. */
const retentionLock = 7_001;

/** Runs `work` unless another replica is at it; answers whether it ran. */
export async function withRetentionLock(pool: Pool, work: (db: Queryable) => Promise<void>): Promise<boolean> {
  return pool.withConnection(async (db) => {
    const { rows } = await db.query<{ locked: boolean }>('select pg_try_advisory_lock($1) as locked', [retentionLock]);
    if (rows[0]?.locked !== true) return false;
    try {
      await work(db);
      return true;
    } finally {
      await db.query('select pg_advisory_unlock($1)', [retentionLock]);
    }
  });
}

/** Blocks of 8 KiB that the table of keys has now. */
export async function keyTableBlocks(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ blocks: number }>(
    `select (pg_relation_size('diagnosis_key') / current_setting('block_size')::int)::int as blocks`,
  );
  return rows[0]?.blocks ?? 0;
}

/**
 * Deletes, among the rows of the blocks from `firstBlock` to before `endBlock`, those that refer to a day or were
 * submitted before `oldestDay` (UTC day number). Going through the table by blocks needs no index for what is done once
 * a day, and keeps each transaction short.
 */
export async function deleteKeysBefore(
  db: Queryable,
  oldestDay: number,
  firstBlock: number,
  endBlock: number,
): Promise<number> {
  const { rowCount } = await db.query(
    `delete from diagnosis_key
     where ctid >= format('(%s,0)', $2::int)::tid and ctid < format('(%s,0)', $3::int)::tid
       and (rolling_start_interval_number < $1::int * 144 or submission_hour < $1::int * 24)`,
    [oldestDay, firstBlock, endBlock],
  );
  return rowCount;
}

/** Removes what deleting left behind, in the table and its indexes. */
export async function vacuumKeys(db: Queryable): Promise<void> {
  await db.query('vacuum (analyze) diagnosis_key');
}

/** Reservations that came to an end before `hour` (hours since 1970). */
export async function deleteReservationsBefore(db: Queryable, hour: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from reservation where changed_hour < $1 and state in ('confirmed', 'abandoned')`,
    [hour],
  );
  return rowCount;
}
