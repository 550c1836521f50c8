import type { Pool } from '../../lib/db/pool.ts';
import { keepKeyDays } from '../../svc/submission/store/key-day.ts';
import { HOUR_SECONDS, INTERVALS_PER_DAY, utcDay } from '../../lib/exposure/intervals.ts';

/**
 * Fills submission's table as so many uploads of this hour would have: random keys of the last 13 whole days, all of
 * them free to be published with the hour.
 */
export async function seedKeys(submission: Pool, count: number, nowMs: number): Promise<void> {
  const nowSeconds = Math.floor(nowMs / 1000);
  await submission.query(
    `insert into country_set (origin, visited) values ('DE', '{DE}'), ('DE', '{DE,FR}') on conflict do nothing`,
  );
  const today = utcDay(nowSeconds);
  await keepKeyDays(
    submission,
    Array.from({ length: 12 }, (_, n) => today - 2 - n),
  );
  // gen_random_uuid would fix six bits of each key; distribution does not care, but the archive's size would.
  await submission.query(
    `insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
       transmission_risk_level, days_since_onset_of_symptoms, report_type, consent_to_federation, country_set_id,
       submission_hour)
     select substring(sha256(uuid_send(gen_random_uuid())) from 1 for 16), 0, ($2::int - 2 - n % 12) * $3::int, $3::int,
       n % 6 + 3, n % 14, 1, true, (select id from country_set where visited = '{DE}'), $4::int
     from generate_series(1, $1::int) as n`,
    [count, today, INTERVALS_PER_DAY, Math.floor(nowSeconds / HOUR_SECONDS)],
  );
  await submission.query('vacuum (analyze) diagnosis_key');
}
