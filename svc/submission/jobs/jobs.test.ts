import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UploadStatus } from '../../../gen/mesh/cwa/submission/v1/submission.ts';
import { unavailable } from '../../../lib/rpc/errors.ts';
import { silentLog } from '../../../lib/telemetry/log.ts';
import { openTestDatabase, type TestDatabase } from '../../../lib/testing/database.ts';
import { inMemoryTanService } from '../fixtures/in-memory-tan-service.ts';
import { aPayload, type TestService, testService } from '../fixtures/uploads.ts';
import { confirmStored } from './confirm-stored.ts';
import { deleteExpired } from './delete-expired.ts';

const hourMs = 3_600_000;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate diagnosis_key, reservation, country_set');
});

const jobOf = (service: TestService) => deleteExpired({ ...service.deps, log: silentLog });

test('the sweeper confirms what was stored and could not be confirmed, more than one portion of it', async () => {
  const tans = inMemoryTanService();
  const service = testService(
    database,
    {
      verification: { ...tans, confirmTans: () => Promise.reject(unavailable('UNREACHABLE')) },
    },
    tans,
  );
  const uploads = Array.from({ length: 1_003 }, () => ({ tan: tans.issue(), payload: aPayload() }));
  const outcomes = await service.submitAll(uploads);
  expect(outcomes.every(({ status }) => status === UploadStatus.UPLOAD_STATUS_STORED)).toBe(true);
  expect(uploads.some(({ tan }) => tans.isSpent(tan))).toBe(false);

  await expect(confirmStored(service.deps)).rejects.toThrow('UNREACHABLE');
  await confirmStored({ ...service.deps, verification: tans });
  expect(uploads.every(({ tan }) => tans.isSpent(tan))).toBe(true);
  expect(tans.calls.confirmTans).toBe(2);
  await confirmStored({ ...service.deps, verification: tans });
  expect(tans.calls.confirmTans).toBe(2);
});

test('retention: a reservation is gone 24 hours after it was confirmed or abandoned, an unconfirmed one stays', async () => {
  const service = testService(database);
  await service.submit(service.verification.issue(), aPayload());
  const { rows } = await database.pool.query<{ hour: number }>('select changed_hour as hour from reservation');
  for (const state of ['stored', 'abandoned']) {
    await database.pool.query('insert into reservation values (gen_random_uuid(), $1, $2)', [state, rows[0]?.hour]);
  }
  const run = jobOf(service);
  service.clock.advance(24 * hourMs);
  await run();
  expect(await database.rowCount('reservation')).toBe(3);
  service.clock.advance(hourMs);
  await run();
  const { rows: left } = await database.pool.query('select state from reservation');
  expect(left).toEqual([{ state: 'stored' }]);
});

test('retention runs on one replica at a time', async () => {
  const service = testService(database);
  await service.submit(service.verification.issue(), aPayload());
  service.clock.set('2026-12-11T01:00:00Z');
  const run = jobOf(service);
  await database.pool.withConnection(async (rival) => {
    await rival.query('select pg_advisory_lock($1)', [7_001]);
    await run();
    expect(await database.rowCount('diagnosis_key')).toBe(1);
    await rival.query('select pg_advisory_unlock($1)', [7_001]);
  });
  await run();
  expect(await database.rowCount('diagnosis_key')).toBe(0);
});
