import type { Pool } from '../../lib/db/pool.ts';
import { levelFromDaysSinceOnset } from '../../lib/exposure/risk-level.ts';

/** Shares of a day's keys by UTC hour: laboratories report from morning to evening, few people upload at night. */
const dayCurve = [4, 3, 2, 2, 3, 8, 22, 45, 62, 70, 72, 70, 66, 64, 62, 60, 58, 56, 54, 50, 42, 30, 18, 9];

/** A person reports the days from four before to four after onset: all others have a level that is not published. */
const levels = Array.from({ length: 9 }, (_, i) => levelFromDaysSinceOnset(i - 4));

/** Keys of a day, by hour: whole numbers along the curve that sum up to `count`. */
function keysByHour(count: number): number[] {
  const total = dayCurve.reduce((sum, share) => sum + share, 0);
  const until = (hour: number): number =>
    Math.round((count * dayCurve.slice(0, hour + 1).reduce((sum, share) => sum + share, 0)) / total);
  return dayCurve.map((_, hour) => until(hour) - (hour === 0 ? 0 : until(hour - 1)));
}

export interface Nation {
  readonly seed: string;
  /** UTC days since 1970; `lastDay` is the last one with keys. */
  readonly firstDay: number;
  readonly lastDay: number;
  readonly keysPerDay: number;
}

/**
 * Fills distribution's pool as if it had run every hour of these days: every key assigned, every hour closed, nothing
 * published. One key in twenty is of another country. More than a real database ever holds: the keys that have grown
 * older than 14 days since their publication are still there, so that every day package is full.
 */
export async function seedNation(distribution: Pool, nation: Nation): Promise<void> {
  await distribution.withConnection(async (db) => {
    await db.query(`select set_config('statement_timeout', '0', false)`);
    // Built once at the end; kept up for five million random keys they would take most of the time.
    await db.query('alter table key_pool drop constraint key_pool_pkey');
    for (const index of ['key_pool_waiting', 'key_pool_assigned']) await db.query(`drop index ${index}`);
    for (let day = nation.firstDay; day <= nation.lastDay; day++) await seedDay(db, nation, day);
    await db.query('alter table key_pool add primary key (key_data)');
    await db.query('create index key_pool_waiting on key_pool (release_hour) where assigned_hour is null');
    await db.query('create index key_pool_assigned on key_pool (assigned_hour) where assigned_hour is not null');
    await db.query('vacuum (analyze) key_pool');
    await db.query(
      `insert into hour_package (hour, own_keys, foreign_keys, padding_keys)
       select hour, count(*) filter (where bucket = 1), count(*) filter (where bucket = 2), 0
       from generate_series($1::int, $2::int) as hour left join key_pool on assigned_hour = hour
       group by hour`,
      [nation.firstDay * 24, nation.lastDay * 24 + 23],
    );
    await db.query('update distribution_state set first_hour = $1, last_assigned_hour = $2, cleaned_day = $3', [
      nation.firstDay * 24,
      nation.lastDay * 24 + 23,
      nation.lastDay + 1,
    ]);
    await db.query(`select set_config('statement_timeout', '20s', false)`);
  });
}

type Connection = Parameters<Parameters<Pool['withConnection']>[0]>[0];

async function seedDay(db: Connection, { seed, keysPerDay }: Nation, day: number): Promise<void> {
  let until = 0;
  const untilHour = keysByHour(keysPerDay).map((count) => (until += count));
  // Bytes 16 and 17 of each hash choose the days between onset and report and the country.
  await db.query(
    `insert into key_pool (key_data, rolling_start_interval_number, rolling_period, transmission_risk_level, bucket,
       release_hour, assigned_hour)
     select key_data, ($2::int - age) * 144, 144, ($5::int[])[onset - age + 5], bucket, hour, hour
     from (
       select substring(digest from 1 for 16) as key_data, bucket, onset, $2::int * 24 + width_bucket(n, $4::int[]) as hour,
         greatest(1, onset - 4) + n % (onset + 5 - greatest(1, onset - 4)) as age
       from (
         select n, digest, 1 + get_byte(digest, 16) % 7 as onset, case when get_byte(digest, 17) < 13 then 2 else 1 end as bucket
         from (
           select n, sha256(convert_to($1::text || '/' || $2::int || '/' || n, 'UTF8')) as digest
           from generate_series(0, $3::int - 1) as n
         ) as hashed
       ) as person
     ) as key`,
    [seed, day, keysPerDay, untilHour, levels],
  );
}
