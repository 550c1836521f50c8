import type { Tx } from '../../../lib/db/tx.ts';
import type { DiagnosisKey } from '../diagnosis-key.ts';

export interface KeyRow extends DiagnosisKey {
  readonly countrySetId: number;
}

const insertKeysText = (more: string) => `
  insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
    transmission_risk_level, days_since_onset_of_symptoms, report_type, consent_to_federation, country_set_id,
    submission_hour)
  select k.key_data, k.submission_type, k.start, k.period, k.level, k.days, k.report_type, k.consent, k.country_set_id,
    k.hour
  from unnest($1::bytea[], $2::smallint[], $3::int[], $4::smallint[], $5::smallint[], $6::smallint[], $7::smallint[],
    $8::boolean[], $9::int[], $10::int[])
    as k (key_data, submission_type, start, period, level, days, report_type, consent, country_set_id, hour)
  ${more}
  order by k.start, k.key_data, k.submission_type
  on conflict do nothing`;

const insertPcrKeys = insertKeysText('');
// A subquery of one row is always a look-up by key; "not exists" may become a join that reads the whole table, and the
// plan is kept by the connection.
const insertOtherKeys = insertKeysText(
  `where (select true from diagnosis_key as d where d.key_data = k.key_data and d.submission_type = 0
    and d.rolling_start_interval_number = k.start) is null`,
);

/**
 * Keys already stored stay as they are. A key known from a PCR test is not stored again under another type, while a PCR
 * test after another one adds a row (S 1.10). The same key has the same start, so one partition tells. Ordered by day
 * and key, so that rivals meet in the same order and pages of the indexes are visited once. Answers how many are new.
 */
export async function insertDiagnosisKeys(tx: Tx, rows: readonly KeyRow[]): Promise<number> {
  const pcr = rows.filter((row) => row.submissionType === 0);
  const others = rows.filter((row) => row.submissionType !== 0);
  let added = 0;
  if (pcr.length > 0) added += (await tx.query(insertPcrKeys, columnsOf(pcr))).rowCount;
  if (others.length > 0) added += (await tx.query(insertOtherKeys, columnsOf(others))).rowCount;
  return added;
}

function columnsOf(rows: readonly KeyRow[]): unknown[] {
  const column = <C extends keyof KeyRow>(name: C): KeyRow[C][] => rows.map((row) => row[name]);
  return [
    column('keyData'),
    column('submissionType'),
    column('rollingStartIntervalNumber'),
    column('rollingPeriod'),
    column('transmissionRiskLevel'),
    column('daysSinceOnsetOfSymptoms'),
    column('reportType'),
    column('consentToFederation'),
    column('countrySetId'),
    column('submissionHour'),
  ];
}
