import type { Tx } from '../../../lib/db/tx.ts';

/** For each kind of row: deletes up to $2 of those whose time ended at $1 or earlier. */
const deletions = {
  session: `delete from session where id = any(array(
    select id from session where created_at <= $1 limit $2 for update skip locked))`,
  tan: `delete from tan where hash = any(array(
    select hash from tan where created_at <= $1 limit $2 for update skip locked))`,
  registered_hash: `delete from registered_hash where hash = any(array(
    select hash from registered_hash where registered_at <= $1 limit $2 for update skip locked))`,
  tan_tombstone: `delete from tan_tombstone where tan_hash = any(array(
    select tan_hash from tan_tombstone where confirmed_at <= $1 limit $2 for update skip locked))`,
  tele_tan_attempt: `delete from tele_tan_attempt where (minute, shard) in (
    select minute, shard from tele_tan_attempt where minute <= $1 limit $2 for update skip locked)`,
} as const;

export type ExpiringTable = keyof typeof deletions;

export async function deleteExpired(tx: Tx, table: ExpiringTable, before: Date, limit: number): Promise<number> {
  const { rowCount } = await tx.query(deletions[table], [before, limit]);
  return rowCount;
}

/** teleTANs end with their validity, but not before the issue limit has stopped counting them. */
export async function deleteExpiredTeleTans(
  tx: Tx,
  redeemed: boolean,
  now: Date,
  countedSince: Date,
  limit: number,
): Promise<number> {
  const { rowCount } = await tx.query(
    `delete from tele_tan where hash = any(array(
       select hash from tele_tan
       where (redeemed_at is not null) = $1 and created_at <= $3 and valid_until <= $2 limit $4 for update skip locked))`,
    [redeemed, now, countedSince, limit],
  );
  return rowCount;
}
