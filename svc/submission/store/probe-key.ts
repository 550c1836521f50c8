import type { Queryable } from '../../../lib/db/pool.ts';
import type { Tx } from '../../../lib/db/tx.ts';
import type { DiagnosisKey } from '../diagnosis-key.ts';

export type ProbeKeyRow = Pick<
  DiagnosisKey,
  'keyData' | 'rollingStartIntervalNumber' | 'rollingPeriod' | 'transmissionRiskLevel'
>;

export async function insertProbeKeys(
  tx: Tx,
  rows: readonly Pick<DiagnosisKey, keyof ProbeKeyRow | 'submissionHour'>[],
): Promise<void> {
  await tx.query(
    `insert into probe_key (key_data, rolling_start_interval_number, rolling_period, transmission_risk_level,
       submission_hour)
     select * from unnest($1::bytea[], $2::int[], $3::smallint[], $4::smallint[], $5::int[])
     on conflict do nothing`,
    [
      rows.map((row) => row.keyData),
      rows.map((row) => row.rollingStartIntervalNumber),
      rows.map((row) => row.rollingPeriod),
      rows.map((row) => row.transmissionRiskLevel),
      rows.map((row) => row.submissionHour),
    ],
  );
}

/** Keys submitted in `hour` (since 1970) or later, in the order of their bytes. */
export async function probeKeysSince(db: Queryable, hour: number): Promise<ProbeKeyRow[]> {
  const { rows } = await db.query<ProbeKeyRow>(
    `select key_data as "keyData", rolling_start_interval_number as "rollingStartIntervalNumber",
       rolling_period as "rollingPeriod", transmission_risk_level as "transmissionRiskLevel"
     from probe_key where submission_hour >= $1 order by key_data`,
    [hour],
  );
  return rows;
}

/** Keys submitted before `hour` (since 1970). */
export async function deleteProbeKeysBefore(db: Queryable, hour: number): Promise<void> {
  await db.query('delete from probe_key where submission_hour < $1', [hour]);
}
