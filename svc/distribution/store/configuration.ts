import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';

/** The five files of a configuration, as they are kept. */
export interface ConfigurationRow {
  v1: Buffer;
  android_v1: Buffer;
  ios_v1: Buffer;
  android_v2: Buffer;
  ios_v2: Buffer;
}

export interface ConfigurationVersion {
  version: number;
  published_at: Date;
  content_hash: string;
  restores: number | null;
}

/** Newest first. */
export async function readConfigurationHistory(db: Queryable): Promise<ConfigurationVersion[]> {
  const { rows } = await db.query<ConfigurationVersion>(
    'select version, published_at, content_hash, restores from configuration_version order by version desc',
  );
  return rows;
}

/** What is in force now. */
export async function readNewestConfiguration(
  db: Queryable,
): Promise<Pick<ConfigurationVersion, 'version' | 'restores'> | undefined> {
  const { rows } = await db.query<Pick<ConfigurationVersion, 'version' | 'restores'>>(
    'select version, restores from configuration_version order by version desc limit 1',
  );
  return rows[0];
}

export async function readConfigurationFiles(db: Queryable, version: number): Promise<ConfigurationRow | undefined> {
  const { rows } = await db.query<ConfigurationRow>(
    'select v1, android_v1, ios_v1, android_v2, ios_v2 from configuration_version where version = $1',
    [version],
  );
  return rows[0];
}

/** Keeps the files as a new version, unless the newest one has the same content. */
export async function addConfigurationVersion(
  tx: Tx,
  { files, hash, at, restores }: { files: ConfigurationRow; hash: string; at: Date; restores: number | null },
): Promise<void> {
  await tx.query(
    `insert into configuration_version (published_at, content_hash, restores, v1, android_v1, ios_v1, android_v2, ios_v2)
     select $1::timestamptz, $2, $3::integer, $4::bytea, $5::bytea, $6::bytea, $7::bytea, $8::bytea
     where $2 is distinct from (select content_hash from configuration_version order by version desc limit 1)`,
    [at, hash, restores, files.v1, files.android_v1, files.ios_v1, files.android_v2, files.ios_v2],
  );
}

export interface RollbackRow {
  version: number;
  instead_of: string | null;
}

export async function readRollback(db: Queryable): Promise<RollbackRow | undefined> {
  const { rows } = await db.query<RollbackRow>('select version, instead_of from configuration_rollback');
  return rows[0];
}

/** Asks for a version; the next run takes it up. */
export async function requestRollback(db: Queryable, version: number): Promise<void> {
  await db.query(
    `insert into configuration_rollback (version) values ($1)
     on conflict (only_row) do update set version = excluded.version, instead_of = null`,
    [version],
  );
}

export async function takeUpRollback(tx: Tx, insteadOf: string): Promise<void> {
  await tx.query('update configuration_rollback set instead_of = $1 where instead_of is null', [insteadOf]);
}

export async function endRollback(tx: Tx): Promise<void> {
  await tx.query('delete from configuration_rollback');
}
