import type { Queryable } from '../../lib/db/pool.ts';
import type { Tx } from '../../lib/db/tx.ts';

export interface ResultRow {
  readonly resultId: string;
  readonly family: number;
  /** Raw code of the family. */
  readonly result: number;
  readonly resultDate: Date;
  readonly labId: string | null;
  readonly submitter: Buffer;
}

export type ReadableRow = Omit<ResultRow, 'submitter'>;

/** Locks and reads rows, in the order of their ids so that two lists never wait for each other. */
export async function lockResults(tx: Tx, ids: readonly string[]): Promise<ResultRow[]> {
  const { rows } = await tx.query<ResultRow>(
    `select result_id as "resultId", family, result, result_date as "resultDate", lab_id as "labId", submitter
     from test_result where result_id = any($1::text[]) order by result_id for update`,
    [ids],
  );
  return rows;
}

/** Returns how many were inserted: fewer than given when somebody else was faster with one of the ids. */
export async function insertResults(tx: Tx, rows: readonly ResultRow[], now: Date): Promise<number> {
  const { rowCount } = await tx.query(
    `insert into test_result (result_id, family, result, result_date, lab_id, submitter, created_at)
     select r.result_id, r.family, r.result, r.result_date, r.lab_id, r.submitter, $7
     from unnest($1::text[], $2::int2[], $3::int2[], $4::timestamptz[], $5::text[], $6::bytea[])
       as r(result_id, family, result, result_date, lab_id, submitter)
     order by r.result_id
     on conflict (result_id) do nothing`,
    [...columns(rows), now],
  );
  return rowCount;
}

export async function updateResults(tx: Tx, rows: readonly ResultRow[]): Promise<void> {
  await tx.query(
    `update test_result t
     set family = r.family, result = r.result, result_date = r.result_date, lab_id = r.lab_id, submitter = r.submitter
     from unnest($1::text[], $2::int2[], $3::int2[], $4::timestamptz[], $5::text[], $6::bytea[])
       as r(result_id, family, result, result_date, lab_id, submitter)
     where t.result_id = r.result_id`,
    columns(rows),
  );
}

/** Reads never write (decision 22). */
export async function readResults(db: Queryable, ids: readonly string[]): Promise<ReadableRow[]> {
  const { rows } = await db.query<ReadableRow>(
    `select result_id as "resultId", family, result, result_date as "resultDate", lab_id as "labId"
     from test_result where result_id = any($1::text[])`,
    [ids],
  );
  return rows;
}

/** Turns up to `limit` results that were first delivered at `before` or earlier into the redeemed code of their family. */
export async function redeemOldResults(tx: Tx, before: Date, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    `update test_result set result = case family when 1 then 4 when 2 then 9 else 14 end
     where result_id = any(array(
       select result_id from test_result where created_at <= $1 and result not in (4, 9, 14) limit $2 for update skip locked))`,
    [before, limit],
  );
  return rowCount;
}

export async function deleteOldResults(tx: Tx, before: Date, limit: number): Promise<number> {
  const { rowCount } = await tx.query(
    `delete from test_result
     where result_id = any(array(select result_id from test_result where created_at <= $1 limit $2 for update skip locked))`,
    [before, limit],
  );
  return rowCount;
}

function columns(rows: readonly ResultRow[]): unknown[][] {
  return [
    rows.map((row) => row.resultId),
    rows.map((row) => row.family),
    rows.map((row) => row.result),
    rows.map((row) => row.resultDate),
    rows.map((row) => row.labId),
    rows.map((row) => row.submitter),
  ];
}
