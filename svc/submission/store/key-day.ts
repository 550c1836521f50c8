import { isDatabaseError } from '../../../lib/db/errors.ts';
import type { Queryable } from '../../../lib/db/pool.ts';

/** Each UTC day (days since 1970) that keys refer to is a partition of the table of keys: see migration 0002. */

const checkViolation = '23514';

/** Makes sure that keys of these days can be stored; any number of replicas may do so at once. */
export async function keepKeyDays(db: Queryable, days: readonly number[]): Promise<void> {
  await db.query('select keep_key_days($1::int[])', [days]);
}

/** True when a key was refused for want of its day's partition; a constraint that is broken has a name. */
export function isMissingKeyDay(error: unknown): boolean {
  return isDatabaseError(error, checkViolation) && (error as { constraint?: string }).constraint === undefined;
}

/** Days before `oldestDay` of which there may be keys. */
export async function keyDaysBefore(db: Queryable, oldestDay: number): Promise<number[]> {
  const { rows } = await db.query<{ day: number }>('select day from key_day where day < $1 order by day', [oldestDay]);
  return rows.map(({ day }) => day);
}

/**
 * Drops all keys of a day, with the files of its table and indexes. Throws `lockNotAvailable` when uploads that had
 * begun did not end within a second.
 */
export async function dropKeyDay(db: Queryable, day: number): Promise<void> {
  await db.query('select drop_key_day($1)', [day]);
}
