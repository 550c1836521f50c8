import type { Pool } from '../../lib/db/pool.ts';

/** What decides the bytes of a build: keys with their hours, padding included, and the hours that are closed. */
const tables = ['key_pool', 'hour_package', 'exclusion', 'distribution_state'] as const;

/** Rows of each table as PostgreSQL writes them in JSON. */
export type Snapshot = ReadonlyMap<string, string>;

export async function takeSnapshot(distribution: Pool): Promise<Snapshot> {
  const taken = new Map<string, string>();
  for (const table of tables) {
    const { rows } = await distribution.query<{ json: string }>(
      `select coalesce(json_agg(t), '[]')::text as json from ${table} as t`,
    );
    taken.set(table, rows[0]?.json ?? '[]');
  }
  return taken;
}

/** Fills an empty database. The stream starts anew: a cursor means something to one submission database only. */
export async function loadSnapshot(distribution: Pool, snapshot: Snapshot): Promise<void> {
  for (const [table, json] of snapshot) {
    await distribution.query(`delete from ${table}`);
    await distribution.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [json]);
  }
  await distribution.query('update distribution_state set cursor = 0');
}
