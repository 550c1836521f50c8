import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { aKey, aPayload, testService } from './fixtures/uploads.ts';
import { inMemoryTanService } from './fixtures/in-memory-tan-service.ts';

const {
  UPLOAD_STATUS_STORED: STORED,
  UPLOAD_STATUS_TAN_REFUSED: REFUSED,
  UPLOAD_STATUS_INVALID_PAYLOAD: INVALID,
  UPLOAD_STATUS_UNAVAILABLE: UNAVAILABLE,
} = UploadStatus;

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate diagnosis_key, reservation, country_set');
});

const statuses = async (outcomes: Promise<{ status: UploadStatus }[]>) => (await outcomes).map(({ status }) => status);

test('a list is answered item by item, with one call to reserve and one to confirm', async () => {
  const service = testService(database);
  const tan = () => service.verification.issue();
  const uploads = [
    { tan: tan(), payload: aPayload() },
    { tan: tan(), payload: Buffer.from('rubbish') },
    { tan: 'no-tan', payload: aPayload() },
    { tan: service.verification.issue('event'), payload: aPayload() },
    { tan: tan(), payload: aPayload({ keys: [aKey(), aKey()] }) },
  ];
  expect(await statuses(service.submitAll(uploads))).toEqual([STORED, INVALID, REFUSED, REFUSED, STORED]);
  expect(service.verification.calls).toEqual({ reserveTans: 1, confirmTans: 1, releaseTans: 0 });
  expect(await database.rowCount('diagnosis_key')).toBe(3);
});

test('an empty list is answered without asking anybody', async () => {
  const service = testService(database);
  expect(await service.submitAll([])).toEqual([]);
  expect(service.verification.calls.reserveTans).toBe(0);
});

test('the same upload twice in one list is stored once and accepted twice', async () => {
  const service = testService(database);
  const upload = { tan: service.verification.issue(), payload: aPayload() };
  expect(await statuses(service.submitAll([upload, upload]))).toEqual([STORED, STORED]);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
  expect(await database.rowCount('reservation')).toBe(1);
});

test('one TAN for two uploads in one list: the first is stored, the second refused', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const [first, second] = [aKey(), aKey()];
  const uploads = [
    { tan, payload: aPayload({ keys: [first] }) },
    { tan, payload: aPayload({ keys: [second] }) },
  ];
  expect(await statuses(service.submitAll(uploads))).toEqual([STORED, REFUSED]);
  const { rows } = await database.pool.query('select key_data from diagnosis_key');
  expect(rows).toEqual([{ key_data: first.keyData }]);
});

test('the same key in two uploads of one list is stored once', async () => {
  const service = testService(database);
  const payload = aPayload({ keys: [aKey()] });
  const uploads = [0, 1].map(() => ({ tan: service.verification.issue(), payload }));
  expect(await statuses(service.submitAll(uploads))).toEqual([STORED, STORED]);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
});

test('a statement that fails as a whole is retried item by item: only the upload that PostgreSQL refuses fails', async () => {
  await database.pool.query(
    `create function refuse() returns trigger language plpgsql as $$ begin
       if new.rolling_period = 77 then raise exception 'planned'; end if; return new; end $$`,
  );
  await database.pool.query(
    'create trigger refuse before insert on diagnosis_key for each row execute function refuse()',
  );
  try {
    const service = testService(database);
    const uploads = [144, 77, 144].map((rollingPeriod) => ({
      tan: service.verification.issue(),
      payload: aPayload({ keys: [aKey({ rollingPeriod })] }),
    }));
    expect(await statuses(service.submitAll(uploads))).toEqual([STORED, UNAVAILABLE, STORED]);
    expect(await database.rowCount('diagnosis_key')).toBe(2);
    expect(uploads.map(({ tan }) => service.verification.isSpent(tan))).toEqual([true, false, true]);
    await database.pool.query('alter table diagnosis_key disable trigger refuse');
    expect(await statuses(service.submitAll(uploads))).toEqual([STORED, STORED, STORED]);
    expect(await database.rowCount('diagnosis_key')).toBe(3);
  } finally {
    await database.pool.query('drop trigger refuse on diagnosis_key');
  }
});

test('an upload that is fenced off again and again ends as unavailable after three reservations', async () => {
  const tans = inMemoryTanService();
  const service = testService(
    database,
    {
      verification: {
        ...tans,
        async reserveTans(request, context) {
          const answer = await tans.reserveTans(request, context);
          const ids = answer.outcomes.map(({ reservationId }) => reservationId);
          await database.pool.query(
            `insert into reservation (id, state, changed_hour) select unnest($1::uuid[]), 'abandoned', 0`,
            [ids],
          );
          return answer;
        },
      },
    },
    tans,
  );
  const tan = tans.issue();
  expect(await service.submit(tan, aPayload())).toMatchObject({ status: UNAVAILABLE });
  expect(tans.calls).toEqual({ reserveTans: 3, confirmTans: 0, releaseTans: 3 });
  expect(tans.isFree(tan)).toBe(true);
  expect(await database.rowCount('diagnosis_key')).toBe(0);
});

test('200 phones at once, each upload sent twice in parallel lists: each is stored once, nothing is refused', async () => {
  const service = testService(database);
  const uploads = Array.from({ length: 200 }, () => ({
    tan: service.verification.issue(),
    payload: aPayload({ keys: Array.from({ length: 5 }, () => aKey()) }),
  }));
  const lists = Array.from({ length: 8 }, (_, i) => uploads.filter((_, n) => n % 4 === i % 4));
  const answers = (await Promise.all(lists.map((list) => statuses(service.submitAll(list))))).flat();
  expect(answers).toEqual(Array(400).fill(STORED));
  expect(await database.rowCount('diagnosis_key')).toBe(1_000);
  expect(uploads.every(({ tan }) => service.verification.isSpent(tan))).toBe(true);
});

test('one TAN, 20 uploads with other keys in parallel: exactly one is stored', async () => {
  for (let round = 0; round < 10; round++) {
    await database.pool.query('truncate diagnosis_key, reservation');
    const service = testService(database);
    const tan = service.verification.issue();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await service.submit(tan, aPayload())).status),
    );
    expect(answers.filter((status) => status === STORED).length).toBeLessThanOrEqual(1);
    expect(await database.rowCount('diagnosis_key')).toBe(answers.filter((status) => status === STORED).length);
  }
});
