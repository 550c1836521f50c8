import type { Queryable } from '../../../lib/db/pool.ts';

export interface ProbeObject {
  /** Hours since 1970 UTC. */
  readonly hour: number;
  readonly contentHash: string;
  readonly signedBy: string;
}

export async function readProbeObjects(db: Queryable): Promise<ProbeObject[]> {
  const { rows } = await db.query<ProbeObject>(
    'select hour, content_hash as "contentHash", signed_by as "signedBy" from probe_object order by hour',
  );
  return rows;
}

export async function recordProbeObject(db: Queryable, { hour, contentHash, signedBy }: ProbeObject): Promise<void> {
  await db.query(
    `insert into probe_object (hour, content_hash, signed_by) values ($1, $2, $3)
     on conflict (hour) do update set content_hash = excluded.content_hash, signed_by = excluded.signed_by`,
    [hour, contentHash, signedBy],
  );
}

export async function forgetProbeObjects(db: Queryable, hours: readonly number[]): Promise<void> {
  await db.query('delete from probe_object where hour = any($1::int[])', [hours]);
}
