import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { SubmissionType } from '../../gen/mesh/cwa/exposure/v1/submission_payload.ts';
import { unavailable } from '../../lib/rpc/errors.ts';
import { aCall } from '../../lib/testing/call.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { inMemoryTanService } from './fixtures/in-memory-tan-service.ts';
import { invalid, refused, stored, storedKeys, submitOne, unavailableNow } from './fixtures/outcomes.ts';
import { aKey, aPayload, aReport, aWarning, now, testService, today } from './fixtures/uploads.ts';
import { submitKeys } from './submit-keys.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate diagnosis_key, reservation, country_set, supported_country');
});

test('S row 1: real upload stores keys: rows = keys, hours timestamp, TAN gone', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const keys = [aKey(), aKey({ rollingStartIntervalNumber: today - 144, daysSinceOnsetOfSymptoms: -3, reportType: 2 })];
  expect(await service.submit(tan, aPayload({ keys, visitedCountries: ['FR'] }))).toEqual({
    ...stored,
    rule: 0,
    filteredCheckIns: 0,
    savedCheckIns: 0,
  });
  const common = { submission_type: 0, period: 144, level: 5, consent: true, origin: 'DE', visited: ['DE', 'FR'] };
  const submission_hour = Math.floor(now.getTime() / 3_600_000);
  expect(await storedKeys(database)).toEqual([
    { ...common, key_data: keys[0]?.keyData, start: today, days: 1, report_type: 1, submission_hour },
    { ...common, key_data: keys[1]?.keyData, start: today - 144, days: -3, report_type: 2, submission_hour },
  ]);
  expect(service.verification.isSpent(tan)).toBe(true);
});

test('S row 7: a TAN in upper case or with blanks around it is the same TAN', async () => {
  const service = testService(database);
  expect(await service.submit(` ${service.verification.issue().toUpperCase()} `, aPayload())).toMatchObject(stored);
});

test.each(['', 'x', '1-1-1-1-1', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', `${randomUUID()}0`])(
  'S row 8: malformed / v1 UUID TAN %j is refused without a call to verification',
  async (tan) => {
    const service = testService(database);
    expect(await service.submit(tan, aPayload())).toMatchObject(refused);
    expect(service.verification.calls.reserveTans).toBe(0);
  },
);

test('S row 9: verification knows no such TAN: refused, nothing stored', async () => {
  const service = testService(database);
  expect(await service.submit(randomUUID(), aPayload())).toMatchObject(refused);
  expect(await database.rowCount('diagnosis_key')).toBe(0);
});

test('S row 9: verification fails or answers too few items: unavailable, nothing stored', async () => {
  const tans = inMemoryTanService();
  const failing = testService(database, {
    verification: { ...tans, reserveTans: () => Promise.reject(unavailable('UNREACHABLE')) },
  });
  expect(await failing.submit(tans.issue(), aPayload())).toMatchObject(unavailableNow);
  const silent = testService(database, { verification: { ...tans, reserveTans: async () => ({ outcomes: [] }) } });
  expect(await silent.submit(tans.issue(), aPayload())).toMatchObject(unavailableNow);
  expect(await database.rowCount('diagnosis_key')).toBe(0);
  expect(failing.trouble).toEqual(['reserve-tans-failed']);
});

test('S row 9: an upload whose deadline has passed or whose caller has gone is not begun', async () => {
  const service = testService(database);
  const request = { uploads: [{ tan: service.verification.issue(), payload: aPayload(), onBehalf: false }] };
  const late = await submitKeys(service.deps)(request, { ...aCall(), deadline: service.clock.monotonicMs() });
  const gone = await submitKeys(service.deps)(request, { ...aCall(), signal: AbortSignal.abort() });
  expect([late.outcomes[0], gone.outcomes[0]]).toMatchObject([unavailableNow, unavailableNow]);
  expect(service.verification.calls.reserveTans).toBe(0);
});

test('S row 12: 0 keys, max+1 keys: refused, TAN still usable afterwards', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const many = (n: number) => aPayload({ keys: Array.from({ length: n }, () => aKey()) });
  expect(await service.submit(tan, aPayload({ keys: [] }))).toMatchObject(invalid('PAYLOAD_RULE_KEY_COUNT'));
  expect(await service.submit(tan, many(31))).toMatchObject(invalid('PAYLOAD_RULE_KEY_COUNT'));
  expect(await service.submit(tan, many(30))).toMatchObject(stored);
  expect(await database.rowCount('diagnosis_key')).toBe(30);
});

test('S row 17: all keys filtered: accepted, zero rows, TAN consumed', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const keys = [aKey({ rollingStartIntervalNumber: today + 144 }), aKey({ rollingStartIntervalNumber: 0 })];
  expect(await service.submit(tan, aPayload({ keys }))).toMatchObject(stored);
  expect(await database.rowCount('diagnosis_key')).toBe(0);
  expect(service.verification.isSpent(tan)).toBe(true);
});

test('decision 18: a country removed from the configuration stays accepted at intake for 14 days', async () => {
  const before = testService(database);
  await before.deps.countries.refresh();
  const after = testService(database, { config: { supportedCountries: ['DE', 'IT'] } });
  const submitFrench = () =>
    after.submit(
      after.verification.issue(),
      aPayload({ visitedCountries: ['FR'], keys: [aKey({ rollingStartIntervalNumber: today + 14 * 144 })] }),
    );
  after.clock.advance(14 * 86_400_000);
  await after.deps.countries.refresh();
  expect(await submitFrench()).toMatchObject(stored);
  after.clock.advance(86_400_000);
  await after.deps.countries.refresh();
  expect(await submitFrench()).toMatchObject(invalid('PAYLOAD_RULE_VISITED_COUNTRIES'));
});

test('S row 26: same keys resent with same TAN, new padding, 1 h later: accepted, no new rows', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const keys = [aKey(), aKey(), aKey({ rollingStartIntervalNumber: today + 144 })];
  expect(await service.submit(tan, aPayload({ keys, requestPadding: randomBytes(9) }))).toMatchObject(stored);
  service.clock.advance(3_600_000);
  const again = aPayload({ keys: keys.toReversed(), requestPadding: randomBytes(40) });
  expect(await service.submit(tan, again)).toMatchObject(stored);
  expect(await database.rowCount('diagnosis_key')).toBe(2);
});

test('S row 26: the same keys resent over midnight, when other ones of them are filtered away, are the same upload', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const keys = [0, -14, 1].map((day) => aKey({ rollingStartIntervalNumber: today + day * 144 }));
  expect(await service.submit(tan, aPayload({ keys }))).toMatchObject(stored);
  service.clock.advance(14 * 3_600_000);
  expect(await service.submit(tan, aPayload({ keys }))).toMatchObject(stored);
  expect(await database.rowCount('diagnosis_key')).toBe(2);
});

test('S row 27: same TAN, other keys', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  await service.submit(tan, aPayload());
  expect(await service.submit(tan, aPayload())).toMatchObject(refused);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
});

test('S row 27: same TAN, other keys, while the first could not be confirmed', async () => {
  const tans = inMemoryTanService();
  const verification = { ...tans, confirmTans: () => Promise.reject(unavailable('UNREACHABLE')) };
  const service = testService(database, { verification }, tans);
  const tan = tans.issue();
  expect(await service.submit(tan, aPayload())).toMatchObject(stored);
  expect(await service.submit(tan, aPayload())).toMatchObject(refused);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
});

test('S row 28: PCR then RAPID same key / reverse: one row / two rows', async () => {
  const service = testService(database);
  const keys = [aKey()];
  const submit = (submissionType: SubmissionType) =>
    service.submit(service.verification.issue(), aPayload({ keys, submissionType }));
  const types = async () => (await storedKeys(database)).map((row) => row['submission_type']);
  await submit(SubmissionType.SUBMISSION_TYPE_PCR_TEST);
  await submit(SubmissionType.SUBMISSION_TYPE_RAPID_TEST);
  expect(await types()).toEqual([0]);
  await database.pool.query('truncate diagnosis_key');
  await submit(SubmissionType.SUBMISSION_TYPE_RAPID_TEST);
  await submit(SubmissionType.SUBMISSION_TYPE_PCR_TEST);
  expect(await types()).toEqual([0, 1]);
});

test('S row 30, D row 44: key padding, same fields, other key bytes: m=10, 5 keys: 50 rows, 45 with consent false', async () => {
  const keys = Array.from({ length: 5 }, (_, i) => aKey({ rollingStartIntervalNumber: today - i * 144 }));
  await submitOne(database, aPayload({ keys }), { keyPaddingMultiplier: 10 });
  const found = await storedKeys(database);
  expect(found).toHaveLength(50);
  expect(found.filter((row) => row['consent'] === false)).toHaveLength(45);
  expect(new Set(found.map((row) => String(row['key_data']))).size).toBe(50);
  expect(new Set(found.map((row) => `${row['start']} ${row['level']} ${row['days']}`)).size).toBe(5);
});

test('S row 31: DB failure while storing: unavailable, and a retry with the same TAN succeeds', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const payload = aPayload();
  await database.pool.query('alter table diagnosis_key rename to hidden');
  expect(await service.submit(tan, payload)).toMatchObject(unavailableNow);
  await database.pool.query('alter table hidden rename to diagnosis_key');
  expect(await database.rowCount('reservation')).toBe(0);
  expect(await service.submit(tan, payload)).toMatchObject(stored);
  expect(service.trouble).toEqual(['store-uploads-failed']);
});

test('S row 32: EVENT TAN on diagnosis-keys: refused, TAN still valid on submission-on-behalf', async () => {
  const service = testService(database);
  const tan = service.verification.issue('event');
  expect(await service.submit(tan, aPayload())).toMatchObject(refused);
  expect(await service.submit(tan, aWarning(), true)).toMatchObject(stored);
  expect(service.verification.isSpent(tan)).toBe(true);
  expect(await database.rowCount('diagnosis_key')).toBe(0);
});

test('S row 32: an organiser may repeat a warning, though each try draws a new iv', async () => {
  const service = testService(database);
  const tan = service.verification.issue('event');
  expect(await service.submit(tan, aWarning(), true)).toMatchObject(stored);
  expect(await service.submit(tan, aWarning(), true)).toMatchObject(stored);
  const elsewhere = aWarning({ checkInProtectedReports: [aReport({ locationIdHash: randomBytes(32) })] });
  expect(await service.submit(tan, elsewhere, true)).toMatchObject(refused);
});

test('S row 34: on-behalf with TEST TAN', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  expect(await service.submit(tan, aWarning(), true)).toMatchObject(refused);
  expect(service.verification.isFree(tan)).toBe(true);
});

test('S row 39: counters advance in fives', async () => {
  const service = testService(database);
  const upload = async () => service.submit(service.verification.issue(), aPayload());
  const seen = () => service.metrics.seen('submission_controller.requests', { type: 'real' });
  for (let i = 0; i < 4; i++) await upload();
  expect(await seen()).toBe(0);
  await upload();
  expect(await seen()).toBe(5);
});

test('decision 34: both counters of uploads move together, whatever was refused in between', async () => {
  const service = testService(database);
  const shown = async () => [
    await service.metrics.seen('submission_controller.requests', { type: 'real' }),
    await service.metrics.seen('submission_controller.requests', { type: 'all' }),
    await service.metrics.seen('cwa.submission.uploads', { 'cwa.outcome': 'stored' }),
  ];
  await service.submit('no tan', aPayload());
  for (let i = 0; i < 4; i++) await service.submit(service.verification.issue(), aPayload());
  expect(await shown(), 'a fifth with a TAN is needed').toEqual([0, 0, 0]);
  await service.submit(service.verification.issue(), aPayload(), true);
  await service.submit(service.verification.issue(), aPayload());
  expect(await shown()).toEqual([5, 5, 5]);
});

test('each upload is counted once, by how it ended', async () => {
  const service = testService(database);
  const outcomes = async () =>
    Promise.all(
      (['stored', 'payload-refused', 'tan-refused', 'unavailable'] as const).map((outcome) =>
        service.metrics.seen('cwa.submission.uploads', { 'cwa.outcome': outcome }),
      ),
    );
  for (let i = 0; i < 5; i++) {
    await service.submit(service.verification.issue(), aPayload());
    await service.submit(service.verification.issue(), aPayload({ origin: 'nowhere' }));
    await service.submit('no tan', aPayload());
  }
  expect(await outcomes()).toEqual([5, 5, 5, 0]);
});
