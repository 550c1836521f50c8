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

/** Reservations that came to an end before `hour` (hours since 1970). */
export async function deleteReservationsBefore(db: Queryable, hour: number): Promise<number> {
  const { rowCount } = await db.query(
    `delete from reservation where changed_hour < $1 and state in ('confirmed', 'abandoned')`,
    [hour],
  );
  return rowCount;
}
