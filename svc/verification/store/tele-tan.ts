import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';

/** Makes issuing one after the other in all processes, until the transaction ends: only so the limit is exact. */
export async function lockTeleTanIssue(tx: Tx): Promise<void> {
  await tx.query(`select pg_advisory_xact_lock(hashtext('issue-tele-tan'))`);
}

export async function readTeleTanCount(db: Queryable, since: Date): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select count(*) as n from tele_tan where created_at > $1', [since]);
  return rows[0]?.n ?? 0;
}

/** False when a teleTAN with this hash is still stored. */
export async function insertTeleTan(
  tx: Tx,
  teleTan: { hash: Buffer; type: number; now: Date; validUntil: Date },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into tele_tan (hash, type, created_at, valid_until) values ($1, $2, $3, $4) on conflict (hash) do nothing`,
    [teleTan.hash, teleTan.type, teleTan.now, teleTan.validUntil],
  );
  return rowCount === 1;
}

/** Redeems those that can be redeemed; answers the type of each of these by its position from 0. */
export async function redeemTeleTans(tx: Tx, hashes: readonly Buffer[], now: Date): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ position: number; type: number }>(
    `with live as (
       select i.position, t.hash from unnest($1::bytea[]) with ordinality as i(hash, position) join tele_tan t on t.hash = i.hash
       where t.redeemed_at is null and t.valid_until > $2 order by t.hash for update of t
     )
     update tele_tan t set redeemed_at = $2 from live where t.hash = live.hash returning live.position, t.type`,
    [hashes, now],
  );
  return new Map(rows.map(({ position, type }) => [position - 1, type]));
}

export interface Attempts {
  readonly succeeded: number;
  readonly failed: number;
}

export async function countAttempts(
  db: Queryable,
  minute: Date,
  shard: number,
  { succeeded, failed }: Attempts,
): Promise<void> {
  await db.query(
    `insert into tele_tan_attempt as a (minute, shard, succeeded, failed) values ($1, $2, $3, $4)
     on conflict (minute, shard) do update set succeeded = a.succeeded + $3, failed = a.failed + $4`,
    [minute, shard, succeeded, failed],
  );
}

export async function readAttempts(db: Queryable, since: Date): Promise<Attempts> {
  const { rows } = await db.query<{ succeeded: number; failed: number }>(
    `select coalesce(sum(succeeded), 0)::bigint as succeeded, coalesce(sum(failed), 0)::bigint as failed
     from tele_tan_attempt where minute > $1`,
    [since],
  );
  return rows[0] ?? { succeeded: 0, failed: 0 };
}
