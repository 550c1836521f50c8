import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { StreamDiagnosisKeysResponse } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { inTx } from '../../lib/db/tx.ts';
import { aCall } from '../../lib/testing/call.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { untilStreamable } from './fixtures/streamable.ts';
import { aKey, aPayload, now, testService, today } from './fixtures/uploads.ts';
import { keepKeyDays } from './store/key-day.ts';
import { streamDiagnosisKeys } from './stream-diagnosis-keys.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate diagnosis_key, reservation, country_set');
});

interface Streamed {
  readonly keys: Record<string, unknown>[];
  readonly messages: StreamDiagnosisKeysResponse[];
  readonly next: bigint;
}

async function messagesFrom(cursor: bigint, call = aCall('distribution')): Promise<StreamDiagnosisKeysResponse[]> {
  const messages: StreamDiagnosisKeysResponse[] = [];
  for await (const message of streamDiagnosisKeys({ pool: database.pool })({ cursor }, call)) messages.push(message);
  return messages;
}

async function stream(cursor = 0n): Promise<Streamed> {
  const messages = await messagesFrom(cursor);
  const sets = new Map<number, { origin: string; visitedCountries: string[] }>();
  const keys: Record<string, unknown>[] = [];
  for (const message of messages) {
    for (const { id, ...set } of message.countrySets) sets.set(id, set);
    for (let i = 0; i < message.keyCount; i++) {
      keys.push({
        keyData: message.keyData.subarray(i * 16, i * 16 + 16).toString('hex'),
        start: message.rollingStartIntervalNumber.readInt32BE(i * 4),
        period: message.rollingPeriod.readInt16BE(i * 2),
        level: message.transmissionRiskLevel.readInt16BE(i * 2),
        hour: message.submissionHour.readInt32BE(i * 4),
        type: message.submissionType.readInt16BE(i * 2),
        set: sets.get(message.countrySet.readInt32BE(i * 4)),
      });
    }
  }
  const last = messages.at(-1);
  expect(messages.slice(0, -1).every((message) => message.nextCursor === undefined)).toBe(true);
  return { keys, messages, next: last?.nextCursor as bigint };
}

/** As `stream`, with all that has been stored before. */
async function streamAll(cursor?: bigint): Promise<Streamed> {
  await untilStreamable(database);
  return stream(cursor);
}

const days = Array.from({ length: 14 }, (_, age) => today / 144 - age);

/** Every second key of another type, spread over all days that may be there. */
const insertMany = async (count: number) => {
  await keepKeyDays(database.pool, days);
  await database.pool.query(
    `insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
       transmission_risk_level, days_since_onset_of_symptoms, report_type, country_set_id, submission_hour)
     select decode(md5(i::text), 'hex'), i % 2, $2::int - 144 * (i % 14), 144, 1 + i % 8, 0, 1, 1, $2::int / 6
     from generate_series(1, $1::int) as i`,
    [count, today],
  );
};

test('a stored key comes out with every column and its country set, once', async () => {
  const service = testService(database);
  const key = aKey({ rollingPeriod: 84, transmissionRiskLevel: 6, rollingStartIntervalNumber: today - 144 });
  await service.submit(
    service.verification.issue(),
    aPayload({ keys: [key], visitedCountries: ['IT', 'FR'], submissionType: 1 }),
  );
  const first = await streamAll();
  expect(first.keys).toEqual([
    {
      keyData: key.keyData?.toString('hex'),
      start: today - 144,
      period: 84,
      level: 6,
      hour: Math.floor(now.getTime() / 3_600_000),
      type: 1,
      set: { origin: 'DE', visitedCountries: ['DE', 'FR', 'IT'] },
    },
  ]);
  const second = await stream(first.next);
  expect(second.keys).toEqual([]);
  expect(second.next).toBeGreaterThanOrEqual(first.next);
});

test('an empty table is a stream with a cursor', async () => {
  const { keys, next } = await stream();
  expect(keys).toEqual([]);
  expect(next).toBeGreaterThan(0n);
});

test('many pages, also of one transaction: every key once, ordered by key inside a page', async () => {
  await insertMany(45_000);
  const { keys, messages } = await streamAll();
  expect(messages.map((message) => message.keyCount)).toEqual([0, 20_000, 20_000, 5_000, 0]);
  expect(new Set(keys.map((key) => key['keyData'])).size).toBe(45_000);
  for (const { keyCount, keyData } of messages) {
    for (let i = 1; i < keyCount; i++) {
      expect(keyData.compare(keyData, i * 16, i * 16 + 16, i * 16 - 16, i * 16)).toBeLessThan(0);
    }
  }
});

test('a page boundary between two rows of one key loses neither', async () => {
  await insertMany(19_999);
  await database.pool.query(
    `insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
       transmission_risk_level, days_since_onset_of_symptoms, report_type, country_set_id, submission_hour)
     select '\\xffffffffffffffffffffffffffffffff', type, $1::int, 144, 1, 0, 1, 1, $1::int / 6
     from unnest(array[0, 1]) as t (type)`,
    [today],
  );
  const { keys } = await streamAll();
  expect(keys).toHaveLength(20_001);
});

test('a key of a transaction that was open during one stream comes with the next, and only then', async () => {
  const service = testService(database);
  const upload = () => service.submit(service.verification.issue(), aPayload());
  await upload();
  await untilStreamable(database);
  let first: Streamed | undefined;
  let second: Streamed | undefined;
  await inTx(database.pool, 'slow-upload', async (tx) => {
    await tx.query(
      `insert into diagnosis_key (key_data, submission_type, rolling_start_interval_number, rolling_period,
         transmission_risk_level, days_since_onset_of_symptoms, report_type, country_set_id, submission_hour)
       values (decode(md5('slow'), 'hex'), 0, $1::int, 144, 1, 0, 1, 1, $1::int / 6)`,
      [today],
    );
    // A later transaction ends before the slow one.
    await upload();
    first = await stream();
    second = await stream(first.next);
  });
  const third = await streamAll(second?.next);
  expect([first, second, third].map((each) => each?.keys.length)).toEqual([1, 0, 2]);
});

test('uploads during 30 streams in a row: every key exactly once', async () => {
  const service = testService(database);
  const seen: unknown[] = [];
  let cursor = 0n;
  let uploading = true;
  const uploads = Promise.all(
    Array.from({ length: 4 }, async () => {
      for (let i = 0; i < 50; i++)
        await service.submit(service.verification.issue(), aPayload({ keys: [aKey(), aKey()] }));
    }),
  ).then(() => {
    uploading = false;
  });
  for (let i = 0; i < 30 || uploading; i++) {
    const part = await stream(cursor);
    seen.push(...part.keys.map((key) => key['keyData']));
    cursor = part.next;
  }
  await uploads;
  seen.push(...(await streamAll(cursor)).keys.map((key) => key['keyData']));
  expect(seen).toHaveLength(400);
  expect(new Set(seen).size).toBe(400);
});

test('a cursor from another database is refused instead of skipping keys', async () => {
  await expect(stream(1n << 60n)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    reason: 'CURSOR_AHEAD_OF_DATABASE',
  });
});

test('a reader that leaves early ends the stream', async () => {
  await insertMany(45_000);
  await untilStreamable(database);
  for await (const message of streamDiagnosisKeys({ pool: database.pool })({ cursor: 0n }, aCall('distribution'))) {
    if (message.keyCount > 0) break;
  }
  await expect(messagesFrom(0n, { ...aCall('distribution'), signal: AbortSignal.abort() })).rejects.toThrow();
});
