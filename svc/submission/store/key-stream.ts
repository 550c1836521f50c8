import type { Queryable } from '../../../lib/db/pool.ts';

/** Columns of a page, packed big-endian by PostgreSQL, rows ordered by key. */
export interface KeyPage {
  readonly keyCount: number;
  readonly keyData: Buffer;
  readonly rollingStartIntervalNumber: Buffer;
  readonly rollingPeriod: Buffer;
  readonly transmissionRiskLevel: Buffer;
  readonly submissionHour: Buffer;
  readonly submissionType: Buffer;
  readonly countrySet: Buffer;
}

/** A row's place in the stream; transaction numbers are text, because they have 64 bits. */
export interface StreamPosition {
  readonly transaction: string;
  readonly keyData: Uint8Array;
  readonly submissionType: number;
  readonly rollingStartIntervalNumber: number;
}

export const startOf = (transaction: bigint): StreamPosition => ({
  transaction: String(transaction),
  keyData: new Uint8Array(),
  submissionType: -1,
  rollingStartIntervalNumber: -1,
});

/** The number below which every transaction has ended, so that nothing can appear there any more. */
export async function streamBound(db: Queryable): Promise<bigint> {
  const { rows } = await db.query<{ bound: string }>('select pg_snapshot_xmin(pg_current_snapshot())::text as bound');
  return BigInt(rows[0]?.bound ?? 0);
}

type PageRow = KeyPage & { transaction: string | null; lastKey: Buffer; lastType: number; lastStart: number };

/**
 * The next `limit` rows after `position` and below `bound`, and where they end; undefined when there are none. Rows are
 * found by the stream's index of each day, merged (by numbers first, which is cheap), and packed in the order of the keys, which tells nothing of who uploaded what.
 */
export async function readPage(
  db: Queryable,
  position: StreamPosition,
  bound: bigint,
  limit: number,
): Promise<{ page: KeyPage; end: StreamPosition } | undefined> {
  const { rows } = await db.query<PageRow>(
    `with page as materialized (
       select inserted_transaction, key_data, submission_type, rolling_start_interval_number, rolling_period,
         transmission_risk_level, submission_hour, country_set_id
       from diagnosis_key
       where (inserted_transaction, rolling_start_interval_number, key_data, submission_type)
           > ($1::xid8, $2::int, $3::bytea, $4::smallint)
         and inserted_transaction < $5::xid8
       order by inserted_transaction, rolling_start_interval_number, key_data, submission_type
       limit $6
     ), packed as (
       select count(*)::int as n,
         string_agg(key_data, '' order by key_data, submission_type, rolling_start_interval_number) as keys,
         string_agg(int4send(rolling_start_interval_number), '' order by key_data, submission_type, rolling_start_interval_number) as starts,
         string_agg(int2send(rolling_period), '' order by key_data, submission_type, rolling_start_interval_number) as periods,
         string_agg(int2send(transmission_risk_level), '' order by key_data, submission_type, rolling_start_interval_number) as levels,
         string_agg(int4send(submission_hour), '' order by key_data, submission_type, rolling_start_interval_number) as hours,
         string_agg(int2send(submission_type), '' order by key_data, submission_type, rolling_start_interval_number) as types,
         string_agg(int4send(country_set_id), '' order by key_data, submission_type, rolling_start_interval_number) as sets
       from page
     ), last as (
       select inserted_transaction, key_data, submission_type, rolling_start_interval_number from page
       order by inserted_transaction desc, rolling_start_interval_number desc, key_data desc, submission_type desc
       limit 1
     )
     select n as "keyCount", keys as "keyData", starts as "rollingStartIntervalNumber", periods as "rollingPeriod",
       levels as "transmissionRiskLevel", hours as "submissionHour", types as "submissionType", sets as "countrySet",
       last.inserted_transaction::text as transaction, last.key_data as "lastKey", last.submission_type as "lastType",
       last.rolling_start_interval_number as "lastStart"
     from packed, last`,
    [
      position.transaction,
      position.rollingStartIntervalNumber,
      position.keyData,
      position.submissionType,
      String(bound),
      limit,
    ],
  );
  const row = rows[0];
  if (row?.transaction == null) return undefined;
  const { transaction, lastKey, lastType, lastStart, ...page } = row;
  const end = { transaction, keyData: lastKey, submissionType: lastType, rollingStartIntervalNumber: lastStart };
  return { page, end };
}
