import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';

/** What the security feed was last told of, as text that differs when it does. */
export async function readReported(db: Queryable, what: string): Promise<string | undefined> {
  const { rows } = await db.query<{ version: string }>('select version from reported_change where what = $1', [what]);
  return rows[0]?.version;
}

export async function rememberReported(tx: Tx, what: string, version: string): Promise<void> {
  await tx.query(
    `insert into reported_change (what, version) values ($1, $2)
     on conflict (what) do update set version = excluded.version`,
    [what, version],
  );
}
