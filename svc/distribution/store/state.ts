import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';

/** Another run has begun since: this one lost its lease and must stop. */
export class RunOverruledError extends Error {
  constructor() {
    super('a newer distribution run has begun');
    this.name = 'RunOverruledError';
  }
}

/** Numbers the run that now holds the lease. */
export async function beginRun(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ run_number: number }>(
    'update distribution_state set run_number = run_number + 1 returning run_number',
  );
  return rows[0]?.run_number ?? 0;
}

export interface DistributionState {
  cursor: number;
  first_hour: number | null;
  last_assigned_hour: number | null;
  cleaned_day: number;
}

/** Reads the state and keeps a newer run from beginning until the transaction ends. */
export async function lockState(tx: Tx, runNumber: number): Promise<DistributionState> {
  const { rows } = await tx.query<DistributionState>(
    'select cursor, first_hour, last_assigned_hour, cleaned_day from distribution_state where run_number = $1 for update',
    [runNumber],
  );
  const [state] = rows;
  if (state === undefined) throw new RunOverruledError();
  return state;
}

export async function readState(db: Queryable): Promise<DistributionState> {
  const { rows } = await db.query<DistributionState>(
    'select cursor, first_hour, last_assigned_hour, cleaned_day from distribution_state',
  );
  return rows[0] ?? { cursor: 0, first_hour: null, last_assigned_hour: null, cleaned_day: 0 };
}

export async function moveCursor(tx: Tx, cursor: bigint): Promise<void> {
  await tx.query('update distribution_state set cursor = $1', [cursor]);
}

export async function setFirstHour(tx: Tx, hour: number): Promise<void> {
  await tx.query('update distribution_state set first_hour = $1 where first_hour is null', [hour]);
}

export async function setLastAssignedHour(tx: Tx, hour: number): Promise<void> {
  await tx.query('update distribution_state set last_assigned_hour = $1', [hour]);
}

export async function setCleanedDay(tx: Tx, day: number): Promise<void> {
  await tx.query('update distribution_state set cleaned_day = $1', [day]);
}

/** Closes hours without keys. */
export async function closeHoursEmpty(tx: Tx, fromHour: number, toHour: number): Promise<void> {
  await tx.query(
    `insert into hour_package (hour, own_keys, foreign_keys, padding_keys)
     select hour, 0, 0, 0 from generate_series($1::int, $2::int) as hour`,
    [fromHour, toHour],
  );
}

/** Closes an hour with the keys that are assigned to it now; answers their numbers. */
export async function closeHour(tx: Tx, hour: number): Promise<{ real: number; padding: number }> {
  const { rows } = await tx.query<{ real: number; padding: number }>(
    `insert into hour_package (hour, own_keys, foreign_keys, padding_keys)
     select $1, count(*) filter (where not padding and bucket = 1), count(*) filter (where not padding and bucket = 2),
       count(*) filter (where padding)
     from key_pool where assigned_hour = $1
     returning own_keys + foreign_keys as real, padding_keys as padding`,
    [hour],
  );
  return rows[0] ?? { real: 0, padding: 0 };
}

/** Keys that the hours hold together, padding included. */
export async function countAssigned(db: Queryable, fromHour: number, toHour: number): Promise<number> {
  const { rows } = await db.query<{ n: number }>(
    `select coalesce(sum(own_keys + foreign_keys + padding_keys), 0)::int as n from hour_package where hour between $1 and $2`,
    [fromHour, toHour],
  );
  return rows[0]?.n ?? 0;
}

export async function markPublished(db: Queryable, fromHour: number, toHour: number): Promise<void> {
  await db.query('update hour_package set published = true where hour between $1 and $2 and not published', [
    fromHour,
    toHour,
  ]);
}

export async function addExcluded(tx: Tx, rule: string, count: number): Promise<void> {
  if (count === 0) return;
  await tx.query(
    `insert into exclusion as total (rule, key_count) values ($1, $2)
     on conflict (rule) do update set key_count = total.key_count + excluded.key_count`,
    [rule, count],
  );
}

export interface ReportRow {
  real: number;
  padding: number;
}

export async function readPublishedTotals(db: Queryable): Promise<ReportRow> {
  const { rows } = await db.query<ReportRow>(
    `select coalesce(sum(own_keys + foreign_keys), 0)::bigint as real, coalesce(sum(padding_keys), 0)::bigint as padding
     from hour_package where published`,
  );
  return rows[0] ?? { real: 0, padding: 0 };
}

export async function readExcluded(db: Queryable): Promise<{ rule: string; key_count: number }[]> {
  const { rows } = await db.query<{ rule: string; key_count: number }>(
    'select rule, key_count from exclusion order by rule',
  );
  return rows;
}
