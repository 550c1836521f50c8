import type { Queryable } from './pool.ts';

/**
 * Takes dead rows out of the pages of `tables` (names in the code) and rebuilds their indexes; false when another
 * process is at it. Minutes on a full table, so it is not held to the pool's statement timeout: give it a connection
 * borrowed with `endless`. It blocks neither reads nor writes: tables are not shortened, indexes are rebuilt beside the
 * old ones. They have to be rebuilt because inner pages of a B-tree keep values of deleted rows as landmarks. While an
 * index is rebuilt PostgreSQL may report a unique violation in spite of `on conflict`; such a statement can be repeated.
 */
export async function purgeDeadRows(connection: Queryable, tables: readonly string[]): Promise<boolean> {
  const { rows } = await connection.query<{ locked: boolean }>(
    `select pg_try_advisory_lock(hashtext('purge')) as locked`,
  );
  if (rows[0]?.locked !== true) return false;
  await connection.query('set statement_timeout = 0');
  try {
    await dropHalfBuilt(connection, tables);
    for (const table of tables) {
      await connection.query(`vacuum (index_cleanup on, truncate off) ${table}`);
      await connection.query(`reindex table concurrently ${table}`);
    }
  } finally {
    await connection.query('reset statement_timeout');
    await connection.query(`select pg_advisory_unlock(hashtext('purge'))`);
  }
  return true;
}

/** Left behind when a rebuild was interrupted. */
async function dropHalfBuilt(connection: Queryable, tables: readonly string[]): Promise<void> {
  const { rows } = await connection.query<{ name: string }>(
    `select indexrelid::regclass::text as name from pg_index
     where indrelid = any ($1::text[]::regclass[]) and indexrelid::regclass::text ~ '_cc(new|old)[0-9]*$'`,
    [tables],
  );
  for (const { name } of rows) await connection.query(`drop index concurrently if exists ${name}`);
}
