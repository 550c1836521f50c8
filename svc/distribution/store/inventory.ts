import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';
import { RunOverruledError } from './state.ts';

export type ObjectKind = 'hour' | 'day' | 'hour-index' | 'date-index' | 'index' | 'archive' | 'warning-hour';

/** One object of the store as distribution knows it. */
export interface PublishedObject {
  readonly objectKey: string;
  readonly kind: ObjectKind;
  readonly region?: string;
  /** Days since 1970 UTC. */
  readonly day?: number;
  /** Hours since 1970 UTC. */
  readonly hour?: number;
  readonly contentHash: string;
  /** Names of the signing keys, empty for what is not signed. */
  readonly signedBy: string;
  readonly etag: string;
  readonly size: number;
}

interface Row {
  object_key: string;
  kind: ObjectKind;
  region: string | null;
  day: number | null;
  hour: number | null;
  content_hash: string;
  signed_by: string;
  etag: string;
  size: number;
}

export async function readInventory(db: Queryable): Promise<Map<string, PublishedObject>> {
  const { rows } = await db.query<Row>(
    'select object_key, kind, region, day, hour, content_hash, signed_by, etag, size from published_object',
  );
  return new Map(rows.map((row) => [row.object_key, published(row)]));
}

/** Records an object; refused when a newer run has begun. */
export async function recordObject(db: Queryable, runNumber: number, object: PublishedObject): Promise<void> {
  const { rowCount } = await db.query(
    `insert into published_object (object_key, kind, region, day, hour, content_hash, signed_by, etag, size)
     select $2, $3, $4, $5, $6, $7, $8, $9, $10 from distribution_state where run_number = $1
     on conflict (object_key) do update
       set content_hash = excluded.content_hash, signed_by = excluded.signed_by, etag = excluded.etag, size = excluded.size`,
    [
      runNumber,
      object.objectKey,
      object.kind,
      object.region ?? null,
      object.day ?? null,
      object.hour ?? null,
      object.contentHash,
      object.signedBy,
      object.etag,
      object.size,
    ],
  );
  if (rowCount === 0) throw new RunOverruledError();
}

export async function forgetObjects(tx: Tx, objectKeys: readonly string[]): Promise<void> {
  await tx.query('delete from published_object where object_key = any($1::text[])', [objectKeys]);
}

function published(row: Row): PublishedObject {
  return {
    objectKey: row.object_key,
    kind: row.kind,
    ...(row.region === null ? {} : { region: row.region }),
    ...(row.day === null ? {} : { day: row.day }),
    ...(row.hour === null ? {} : { hour: row.hour }),
    contentHash: row.content_hash,
    signedBy: row.signed_by,
    etag: row.etag,
    size: row.size,
  };
}
