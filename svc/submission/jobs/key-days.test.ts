import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { UploadStatus } from '../../../gen/mesh/cwa/submission/v1/submission.ts';
import { isDatabaseError, lockNotAvailable } from '../../../lib/db/errors.ts';
import { openPool } from '../../../lib/db/pool.ts';
import { inTx } from '../../../lib/db/tx.ts';
import { silentLog } from '../../../lib/telemetry/log.ts';
import { type TestDatabase, testDatabase } from '../../../lib/testing/database.ts';
import { aKey, aPayload, type TestService, testService, today } from '../fixtures/uploads.ts';
import { rememberedKeyDays } from '../key-days.ts';
import { deleteExpired } from './delete-expired.ts';

/** Keys lie in a partition for each UTC day; retention drops whole days (docs: README, "Data and how long it lives"). */

const stored = { status: UploadStatus.UPLOAD_STATUS_STORED };
const dayOf = (age: number) => today / 144 - age;
const aKeyOfAge = (age: number) => aKey({ rollingStartIntervalNumber: today - age * 144 });
const jobOf = (service: TestService) => deleteExpired({ ...service.deps, log: silentLog });
const upload = (service: TestService, ages: readonly number[], submissionType: 0 | 1 = 0) =>
  service.submit(service.verification.issue(), aPayload({ keys: ages.map(aKeyOfAge), submissionType }));

/** Tables and indexes of the keys' days, as PostgreSQL knows them. */
async function relations({ pool }: TestDatabase, day?: number): Promise<{ name: string; path: string }[]> {
  const { rows } = await pool.query<{ name: string; path: string }>(
    `select relname as name, pg_relation_filepath(oid) as path from pg_class
     where relname like 'diagnosis\\_key\\_' || coalesce($1::text, '2') || '%' and pg_relation_filepath(oid) is not null
     order by relname`,
    [day ?? null],
  );
  return rows;
}

async function days({ pool }: TestDatabase): Promise<number[]> {
  const { rows } = await pool.query<{ day: number }>('select day from key_day order by day desc');
  return rows.map(({ day }) => day);
}

test('retention: a key lives while its day is at most 14 days ago, then it is gone an hour after midnight', async () => {
  const database = await testDatabase('submission');
  const service = testService(database);
  await upload(service, [0, 7, 13, 14]);
  const run = jobOf(service);
  const left = async () => {
    await run();
    return database.rowCount('diagnosis_key');
  };

  expect(await left()).toBe(4);
  service.clock.set('2026-11-27T00:59:59Z');
  expect(await left()).toBe(4);
  service.clock.set('2026-11-27T01:00:00Z');
  expect(await left()).toBe(3);
  service.clock.set('2026-12-10T23:59:00Z');
  expect(await left()).toBe(1);
  service.clock.set('2026-12-11T01:00:00Z');
  expect(await left()).toBe(0);
  expect(await relations(database)).toEqual([]);
});

test('retention: nothing can be stored that refers to a day after its submission, so the day of a key decides', async () => {
  const database = await testDatabase('submission');
  const service = testService(database);
  await upload(service, [0, -1]);
  expect(await days(database)).toEqual([dayOf(0)]);
  await service.deps.keyDays.keepFor([aKeyOfAge(-1)] as { rollingStartIntervalNumber: number }[]);
  const insert = (start: number) =>
    database.pool.query(
      `insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
         transmission_risk_level, days_since_onset_of_symptoms, report_type, country_set_id, submission_hour)
       values ($1, 0, $2, 144, 1, 0, 1, 1, $3)`,
      [randomBytes(16), start, today / 6 + 23],
    );
  await insert(today);
  await expect(insert(today + 144)).rejects.toMatchObject({ constraint: 'diagnosis_key_not_from_the_future' });
});

test('retention: after the term nothing is left, not in tables, not in indexes: no relation, no file, no byte of a key', async () => {
  const database = await testDatabase('submission');
  const service = testService(database);
  const keys = Array.from({ length: 30 }, () => aKeyOfAge(14));
  for (const submissionType of [1, 0] as const) {
    await service.submit(service.verification.issue(), aPayload({ keys, submissionType }));
  }
  await upload(service, [13]);
  const { rows } = await database.pool.query<{ at: string; own: string }>(
    `select current_setting('data_directory') as at, 'base/' || oid as own from pg_database
     where datname = current_database()`,
  );
  const { at = '', own = '' } = rows[0] ?? {};
  const contentOf = (file: string): Buffer => {
    try {
      return readFileSync(file);
    } catch {
      // PostgreSQL replaces files of its own at any time; what is gone holds nothing.
      return Buffer.alloc(0);
    }
  };
  const traces = () => {
    const files = readdirSync(join(at, own)).map((name) => contentOf(join(at, own, name)));
    return keys.flatMap(({ keyData }) => files.filter((file) => file.includes(keyData as Buffer))).length;
  };

  await database.pool.query('checkpoint');
  const doomed = await relations(database, dayOf(14));
  // The table, its primary key and the index of the stream.
  expect(doomed).toHaveLength(3);
  expect(traces()).toBeGreaterThanOrEqual(3 * keys.length);
  service.clock.set('2026-11-27T01:00:00Z');
  await jobOf(service)();
  await database.pool.query('checkpoint');
  expect(await relations(database, dayOf(14))).toEqual([]);
  expect(doomed.filter(({ path }) => existsSync(join(at, path)))).toEqual([]);
  expect(traces()).toBe(0);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
});

test('a day that retention dropped comes back when a late replica stores into it, and goes again', async () => {
  const database = await testDatabase('submission');
  const late = testService(database);
  const service = testService(database);
  service.clock.set('2026-11-27T01:00:00Z');
  const run = jobOf(service);
  for (let round = 0; round < 2; round++) {
    expect(await upload(late, [14, 3])).toMatchObject(stored);
    expect(await days(database)).toEqual([dayOf(3), dayOf(14)]);
    await run();
    expect(await days(database)).toEqual([dayOf(3)]);
  }
  expect(late.trouble).toEqual([]);
});

test('20 replicas that need the same days at once make each day once', async () => {
  const database = await testDatabase('submission');
  const keys = Array.from({ length: 15 }, (_, age) => ({ rollingStartIntervalNumber: today - age * 144 }));
  await Promise.all(Array.from({ length: 20 }, () => rememberedKeyDays(database.pool).keepFor(keys)));
  expect(await days(database)).toEqual(keys.map((_, age) => dayOf(age)));
  expect(await relations(database)).toHaveLength(3 * 15);
});

test('days are dropped and made again under running uploads: every upload is stored, no other day loses a key', async () => {
  const database = await testDatabase('submission');
  // Late replicas: they take keys of days that retention drops all the time.
  const replicas = Array.from({ length: 3 }, () => testService(database));
  const retention = testService(database);
  retention.clock.set('2026-11-27T01:00:00Z');
  const run = jobOf(retention);
  let uploads = 0;
  let drops = 0;
  // A slow machine may not end the uploads that have begun within the second that retention waits: it comes again.
  const drop = async () => {
    try {
      await run();
      drops++;
    } catch (error) {
      if (!isDatabaseError(error, lockNotAvailable)) throw error;
    }
  };
  const uploadSome = async (service: TestService, submissionType: 0 | 1) => {
    for (let i = 0; i < 3; i++, uploads++) {
      expect(await upload(service, [14, 13, 1, 0], submissionType)).toMatchObject(stored);
    }
  };
  for (let round = 0; round < 8; round++) {
    await Promise.all([
      ...replicas.flatMap((service) => ([0, 1] as const).map((type) => uploadSome(service, type))),
      drop(),
    ]);
  }
  expect(drops).toBeGreaterThan(0);
  await run();
  expect(await days(database)).toEqual([0, 1, 13].map(dayOf));
  expect(await database.rowCount('diagnosis_key')).toBe(uploads * 3);
  expect(replicas.flatMap(({ trouble }) => trouble)).toEqual([]);
});

test('a transaction that does not end keeps a day for another run; uploads wait for a second at most', async () => {
  const database = await testDatabase('submission');
  const service = testService(database);
  await upload(service, [14, 0]);
  service.clock.set('2026-11-27T01:00:00Z');
  const uploader = testService(database);
  await inTx(database.pool, 'hang', async (tx) => {
    // However long the machine takes for the rest, this transaction stays.
    await tx.query('set local idle_in_transaction_session_timeout = 0');
    await tx.query('lock table diagnosis_key in row exclusive mode');
    const run = jobOf(service)().catch((error: unknown) => error);
    await new Promise((done) => setTimeout(done, 100));
    expect(await upload(uploader, [1, 0])).toMatchObject(stored);
    expect(isDatabaseError(await run, lockNotAvailable)).toBe(true);
  });
  expect(await days(database)).toEqual([dayOf(0), dayOf(1), dayOf(14)]);
  await jobOf(service)();
  expect(await days(database)).toEqual([dayOf(0), dayOf(1)]);
});

test('the look-up of a known PCR key goes by index: no day is read through, though plans are kept', async () => {
  const database = await testDatabase('submission');
  const pool = openPool({ url: database.url, poolSize: 1, setting: 'TEST_DATABASE_URL' }, silentLog);
  const service = testService(database, { pool });
  const ages = Array.from({ length: 14 }, (_, age) => age);
  const scanned = async () => {
    await pool.query('select pg_stat_force_next_flush()');
    const { rows } = await pool.query<{ n: number }>(
      `select sum(seq_tup_read) as n from pg_stat_user_tables where relname like 'diagnosis\\_key\\_%'`,
    );
    return Number(rows[0]?.n);
  };
  try {
    // Plans are made while the days are new, and kept.
    for (let i = 0; i < 20; i++) expect(await upload(service, ages, 1)).toMatchObject(stored);
    await upload(service, ages);
    expect(await scanned()).toBe(0);
  } finally {
    await pool.close();
  }
});
