import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrate } from '../../lib/db/migrate.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { testDatabase } from '../../lib/testing/database.ts';
import { today } from './fixtures/uploads.ts';

const migrations = join(import.meta.dirname, 'migrations');

test('0002 moves every key with its place in the stream; keys of other days can be stored by the version before', async () => {
  const { pool, url } = await testDatabase('submission');
  await pool.query('drop schema public cascade');
  await pool.query('create schema public');
  const folder = mkdtempSync(join(tmpdir(), 'cwa-migrations-'));
  const bring = (directory: string) => migrate({ url, poolSize: 1, setting: 'TEST' }, directory, silentLog);
  try {
    cpSync(join(migrations, '0001_create_diagnosis_key.sql'), join(folder, '0001_create_diagnosis_key.sql'));
    await bring(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const type of [0, 1]) {
    await pool.query(
      `insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
         transmission_risk_level, days_since_onset_of_symptoms, report_type, country_set_id, submission_hour)
       select decode(md5(i::text), 'hex'), $1, $2::int - i % 15 * 144, 144 - i % 9, 1 + i % 8, i % 5, 1, 1, $2::int / 6
       from generate_series(1, 500) as i`,
      [type, today],
    );
  }
  const keys = async () => {
    const { rows } = await pool.query<{ text: string }>(
      `select d::text as text from diagnosis_key d order by inserted_transaction, key_data, submission_type`,
    );
    return rows.map(({ text }) => text);
  };
  const before = await keys();
  expect(before).toHaveLength(1_000);
  const { rows: clock } = await pool.query<{ day: number }>(
    'select floor(extract(epoch from now()) / 86400)::int as day',
  );
  await bring(migrations);
  expect(await keys()).toEqual(before);
  const { rows } = await pool.query<{ day: number }>('select day from key_day');
  // The migration makes days up to tomorrow's; its today may have begun while it was waited for.
  const dayBefore = clock[0]?.day ?? 0;
  const systemDay = rows.some(({ day }) => day === dayBefore + 2) ? dayBefore + 1 : dayBefore;
  const expected = Array.from({ length: 15 }, (_, age) => [today / 144 - age, systemDay - age]).flat();
  expect(rows.map(({ day }) => day)).toEqual(expect.arrayContaining(expected));
  const { rows: left } = await pool.query(`select from pg_class where relname like 'unpartitioned%'`);
  expect(left).toEqual([]);
});
