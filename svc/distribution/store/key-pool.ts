import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';
import { PCR_FLAG, RECORD_OCTETS } from '../key-records.ts';

const recordColumns = `
  substring($1::bytea from i * ${RECORD_OCTETS} + 1 for 16) as key_data,
  (get_byte($1, i * ${RECORD_OCTETS} + 16) << 24) | (get_byte($1, i * ${RECORD_OCTETS} + 17) << 16)
    | (get_byte($1, i * ${RECORD_OCTETS} + 18) << 8) | get_byte($1, i * ${RECORD_OCTETS} + 19) as start,
  (get_byte($1, i * ${RECORD_OCTETS} + 20) << 24) | (get_byte($1, i * ${RECORD_OCTETS} + 21) << 16)
    | (get_byte($1, i * ${RECORD_OCTETS} + 22) << 8) | get_byte($1, i * ${RECORD_OCTETS} + 23) as release_hour,
  (get_byte($1, i * ${RECORD_OCTETS} + 24) << 8) | get_byte($1, i * ${RECORD_OCTETS} + 25) as period,
  get_byte($1, i * ${RECORD_OCTETS} + 26) as level,
  get_byte($1, i * ${RECORD_OCTETS} + 27) as flags`;

const insertText = `
  insert into key_pool (key_data, rolling_start_interval_number, rolling_period, transmission_risk_level, bucket, release_hour)
  select key_data, start, period::smallint, level::smallint, (flags & 3)::smallint, release_hour
  from (select ${recordColumns} from generate_series(0, $2::int - 1) as i) as record
  on conflict (key_data) do nothing`;

const preferPcrText = `
  update key_pool set rolling_start_interval_number = start, rolling_period = period::smallint,
    transmission_risk_level = level::smallint, bucket = (flags & 3)::smallint, release_hour = record.release_hour
  from (select ${recordColumns} from generate_series(0, $2::int - 1) as i) as record
  where key_pool.key_data = record.key_data and key_pool.assigned_hour is null and (flags & ${PCR_FLAG}) > 0
    and (rolling_start_interval_number, rolling_period, transmission_risk_level, bucket, key_pool.release_hour)
        is distinct from (start, period, level, flags & 3, record.release_hour)`;

/**
 * Puts packed records (see key-records.ts) into the pool. Key bytes that are known already stay as they are, but a PCR
 * row replaces what another kind of test said as long as the key is not assigned (D 2.3). Answers how many were new.
 */
export async function insertKeys(tx: Tx, records: Buffer): Promise<number> {
  const count = records.length / RECORD_OCTETS;
  const { rowCount } = await tx.query(insertText, [records, count]);
  if (rowCount < count) await tx.query(preferPcrText, [records, count]);
  return rowCount;
}

export interface WaitingRow {
  bucket: number;
  count: number;
  oldest_release: number;
  oldest_start: number;
}

/** Unassigned keys by bucket that may go into hour `hour` and start at or after `firstStart`. */
export async function readWaiting(tx: Tx, hour: number, firstStart: number): Promise<WaitingRow[]> {
  const { rows } = await tx.query<WaitingRow>(
    `select bucket, count(*) as count, min(release_hour) as oldest_release, min(rolling_start_interval_number) as oldest_start
     from key_pool
     where assigned_hour is null and release_hour <= $1 and rolling_start_interval_number >= $2
     group by bucket`,
    [hour, firstStart],
  );
  return rows;
}

/** Assigns every waiting key of the buckets. */
export async function assignAll(tx: Tx, hour: number, firstStart: number, buckets: readonly number[]): Promise<void> {
  await tx.query(
    `update key_pool set assigned_hour = $1
     where assigned_hour is null and release_hour <= $1 and rolling_start_interval_number >= $2 and bucket = any($3::int[])`,
    [hour, firstStart, buckets],
  );
}

/** Assigns the `limit` oldest waiting keys of the buckets: oldest day first, then by release hour. */
export async function assignOldest(
  tx: Tx,
  hour: number,
  firstStart: number,
  buckets: readonly number[],
  limit: number,
): Promise<void> {
  await tx.query(
    `update key_pool set assigned_hour = $1
     where key_data in (
       select key_data from key_pool
       where assigned_hour is null and release_hour <= $1 and rolling_start_interval_number >= $2 and bucket = any($3::int[])
       order by rolling_start_interval_number / 144, release_hour, key_data
       limit $4)`,
    [hour, firstStart, buckets, limit],
  );
}

/** How many of the `limit` oldest waiting keys each bucket has. */
export async function countOldest(
  tx: Tx,
  hour: number,
  firstStart: number,
  limit: number,
): Promise<{ bucket: number; count: number }[]> {
  const { rows } = await tx.query<{ bucket: number; count: number }>(
    `select bucket, count(*) as count from (
       select bucket from key_pool
       where assigned_hour is null and release_hour <= $1 and rolling_start_interval_number >= $2
       order by rolling_start_interval_number / 144, release_hour, key_data
       limit $3) as oldest
     group by bucket`,
    [hour, firstStart, limit],
  );
  return rows;
}

export interface PaddingPattern {
  rolling_start_interval_number: number;
  rolling_period: number;
  transmission_risk_level: number;
}

/** Fields of real keys to draw padding from: those published last, or the waiting ones where none is. */
export async function readPaddingPatterns(tx: Tx, hour: number, firstStart: number): Promise<PaddingPattern[]> {
  const columns = 'rolling_start_interval_number, rolling_period, transmission_risk_level';
  const { rows: published } = await tx.query<PaddingPattern>(
    `select ${columns} from key_pool
     where assigned_hour is not null and assigned_hour < $1 and not padding and rolling_start_interval_number >= $2
     order by assigned_hour desc, key_data limit 1000`,
    [hour, firstStart],
  );
  if (published.length > 0) return published;
  const { rows } = await tx.query<PaddingPattern>(
    `select ${columns} from key_pool
     where assigned_hour is null and release_hour <= $1 and rolling_start_interval_number >= $2
     order by key_data limit 1000`,
    [hour, firstStart],
  );
  return rows;
}

export interface PaddingKey extends PaddingPattern {
  key_data: Buffer;
  bucket: number;
}

export async function insertPadding(tx: Tx, hour: number, keys: readonly PaddingKey[]): Promise<void> {
  await tx.query(
    `insert into key_pool (key_data, rolling_start_interval_number, rolling_period, transmission_risk_level, bucket,
       release_hour, assigned_hour, padding)
     select key_data, start, period, level, bucket, $1, $1, true
     from unnest($2::bytea[], $3::int[], $4::smallint[], $5::smallint[], $6::smallint[]) as p(key_data, start, period, level, bucket)`,
    [
      hour,
      keys.map((key) => key.key_data),
      keys.map((key) => key.rolling_start_interval_number),
      keys.map((key) => key.rolling_period),
      keys.map((key) => key.transmission_risk_level),
      keys.map((key) => key.bucket),
    ],
  );
}

export interface PackedKeys {
  key_count: number;
  key_data: Buffer;
  starts: Buffer;
  periods: Buffer;
  levels: Buffer;
  buckets: Buffer;
}

/** Keys of the hours, ascending by key bytes, as packed big-endian columns (packed by PostgreSQL: decision 33). */
export async function readPackedKeys(tx: Tx, fromHour: number, toHour: number): Promise<PackedKeys> {
  // A full day does not fit into the default; without this the sort goes to disk.
  await tx.query(`select set_config('work_mem', '96MB', true)`);
  const { rows } = await tx.query<PackedKeys>(
    `select count(*) as key_count,
       coalesce(string_agg(key_data, ''), '') as key_data,
       coalesce(string_agg(int4send(rolling_start_interval_number), ''), '') as starts,
       coalesce(string_agg(int2send(rolling_period), ''), '') as periods,
       coalesce(string_agg(int2send(transmission_risk_level), ''), '') as levels,
       coalesce(string_agg(int2send(bucket), ''), '') as buckets
     from (
       select key_data, rolling_start_interval_number, rolling_period, transmission_risk_level, bucket
       from key_pool where assigned_hour between $1 and $2 order by key_data) as ordered`,
    [fromHour, toHour],
  );
  return rows[0] as PackedKeys;
}

export async function countWaiting(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select count(*) as n from key_pool where assigned_hour is null');
  return rows[0]?.n ?? 0;
}

/** Deletes keys that start before `firstStart` and were never assigned; answers how many. */
export async function deleteExpiredWaiting(tx: Tx, firstStart: number): Promise<number> {
  const { rowCount } = await tx.query(
    'delete from key_pool where assigned_hour is null and rolling_start_interval_number < $1',
    [firstStart],
  );
  return rowCount;
}

/** Deletes keys that start before `firstStart` and were assigned to an hour before `beforeHour`. */
export async function deleteExpiredAssigned(tx: Tx, firstStart: number, beforeHour: number): Promise<void> {
  await tx.query('delete from key_pool where assigned_hour < $2 and rolling_start_interval_number < $1', [
    firstStart,
    beforeHour,
  ]);
}
