import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type SubmissionPayload, SubmissionType } from '../../gen/mesh/cwa/exposure/v1/submission_payload.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { invalid, stored, storedKeys, submitOne } from './fixtures/outcomes.ts';
import { aKey, aPayload, aReport, aWarning, testService, today } from './fixtures/uploads.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate diagnosis_key, reservation, country_set, supported_country');
});

test('S row 13: key 15 or 17 bytes', async () => {
  for (const length of [15, 17]) {
    const payload = aPayload({ keys: [aKey(), aKey({ keyData: randomBytes(length) })] });
    expect(await submitOne(database, payload)).toMatchObject(invalid('PAYLOAD_RULE_KEY_DATA_LENGTH'));
  }
});

test('S row 14: RSIN not at midnight', async () => {
  const payload = aPayload({ keys: [aKey({ rollingStartIntervalNumber: today - 1 })] });
  expect(await submitOne(database, payload)).toMatchObject(invalid('PAYLOAD_RULE_ROLLING_START_ALIGNMENT'));
});

test('S row 15: future key among good ones: good ones stored only', async () => {
  const good = aKey();
  const payload = aPayload({ keys: [aKey({ rollingStartIntervalNumber: today + 144 }), good] });
  expect(await submitOne(database, payload)).toMatchObject(stored);
  expect(await storedKeys(database)).toMatchObject([{ key_data: good.keyData }]);
});

test('S row 16: key exactly 14 days old / 15 days old: stored / dropped, both accepted', async () => {
  const edge = aKey({ rollingStartIntervalNumber: today - 14 * 144 });
  const old = aKey({ rollingStartIntervalNumber: today - 15 * 144 });
  expect(await submitOne(database, aPayload({ keys: [edge] }))).toMatchObject(stored);
  expect(await submitOne(database, aPayload({ keys: [old] }))).toMatchObject(stored);
  expect(await storedKeys(database)).toMatchObject([{ key_data: edge.keyData }]);
});

test('S row 18: rolling period 0, 145 / absent: refused / stored as 144', async () => {
  for (const rollingPeriod of [0, 145]) {
    const payload = aPayload({ keys: [aKey({ rollingPeriod })] });
    expect(await submitOne(database, payload)).toMatchObject(invalid('PAYLOAD_RULE_ROLLING_PERIOD'));
  }
  await submitOne(database, aPayload({ keys: [aKey({ rollingPeriod: undefined })] }));
  expect(await storedKeys(database)).toMatchObject([{ period: 144 }]);
});

test('S row 19: TRL 0, 9; DSOS -16, 4001', async () => {
  for (const transmissionRiskLevel of [0, 9]) {
    const payload = aPayload({ keys: [aKey({ transmissionRiskLevel })] });
    expect(await submitOne(database, payload)).toMatchObject(invalid('PAYLOAD_RULE_TRANSMISSION_RISK_LEVEL'));
  }
  for (const daysSinceOnsetOfSymptoms of [-16, 4001]) {
    const payload = aPayload({ keys: [aKey({ daysSinceOnsetOfSymptoms })] });
    expect(await submitOne(database, payload)).toMatchObject(invalid('PAYLOAD_RULE_DAYS_SINCE_ONSET'));
  }
});

test('S row 20: TRL and DSOS missing on one key', async () => {
  const bare = aKey({ transmissionRiskLevel: undefined, daysSinceOnsetOfSymptoms: undefined });
  expect(await submitOne(database, aPayload({ keys: [aKey(), bare] }))).toMatchObject(
    invalid('PAYLOAD_RULE_LEVEL_OR_ONSET_MISSING'),
  );
});

test('S row 21: only TRL 6 → DSOS 3995; only DSOS 3 → TRL 5; DSOS 1000 → 3; DSOS 50 → 1', async () => {
  const cases = [
    [
      { transmissionRiskLevel: 6, daysSinceOnsetOfSymptoms: undefined },
      { level: 6, days: 3995 },
    ],
    [
      { transmissionRiskLevel: undefined, daysSinceOnsetOfSymptoms: 3 },
      { level: 5, days: 3 },
    ],
    [
      { transmissionRiskLevel: undefined, daysSinceOnsetOfSymptoms: 1000 },
      { level: 3, days: 1000 },
    ],
    [
      { transmissionRiskLevel: undefined, daysSinceOnsetOfSymptoms: 50 },
      { level: 1, days: 50 },
    ],
  ] as const;
  for (const [sent, kept] of cases) {
    await database.pool.query('truncate diagnosis_key');
    expect(await submitOne(database, aPayload({ keys: [aKey(sent)] }))).toMatchObject(stored);
    expect(await storedKeys(database)).toMatchObject([kept]);
  }
});

test('S row 22: DSOS is zigzag: bytes as a phone writes them decode to -3', async () => {
  const start = Buffer.from([0x18, ...varint(today)]);
  const key = Buffer.concat([
    Buffer.from([0x0a, 16]),
    Buffer.alloc(16, 9),
    Buffer.from([0x10, 5]),
    start,
    Buffer.from([0x20, 0x90, 0x01, 0x30, 0x05]),
  ]);
  expect(await submitOne(database, Buffer.concat([Buffer.from([0x0a, key.length]), key]))).toMatchObject(stored);
  expect(await storedKeys(database)).toMatchObject([
    { key_data: Buffer.alloc(16, 9), days: -3, level: 5, consent: false },
  ]);
});

test('S row 23: origin IT / empty / absent: refused / DE / DE', async () => {
  expect(await submitOne(database, aPayload({ origin: 'IT' }))).toMatchObject(invalid('PAYLOAD_RULE_ORIGIN'));
  for (const origin of ['', '  ', undefined])
    expect(await submitOne(database, aPayload({ origin }))).toMatchObject(stored);
  expect(await storedKeys(database)).toMatchObject(Array(3).fill({ origin: 'DE', visited: ['DE'] }));
});

test('S row 24: visited country unsupported: refused; ["FR"] stored as {FR, DE}', async () => {
  expect(await submitOne(database, aPayload({ visitedCountries: ['FR', 'US'] }))).toMatchObject(
    invalid('PAYLOAD_RULE_VISITED_COUNTRIES'),
  );
  expect(await submitOne(database, aPayload({ visitedCountries: ['FR'] }))).toMatchObject(stored);
  expect(await storedKeys(database)).toMatchObject([{ visited: ['DE', 'FR'] }]);
});

test('S row 25: two keys same day: both rows', async () => {
  await submitOne(database, aPayload({ keys: [aKey({ rollingPeriod: 60 }), aKey({ rollingPeriod: 84 })] }));
  expect(await database.rowCount('diagnosis_key')).toBe(2);
});

test('S 1.6: the same key twice in one payload is stored once', async () => {
  const key = aKey();
  expect(await submitOne(database, aPayload({ keys: [key, key] }))).toMatchObject(stored);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
});

test('S 1.6: report types 1 to 3 are kept, anything else is a confirmed test', async () => {
  const keys = [0, 1, 2, 3, 4, 5, 77].map((reportType, i) =>
    aKey({ reportType, rollingStartIntervalNumber: today - i * 144 }),
  );
  await submitOne(database, aPayload({ keys }));
  expect((await storedKeys(database)).map((row) => row['report_type'])).toEqual([1, 1, 2, 3, 1, 1, 1]);
});

const aCheckIn = {
  locationId: Buffer.alloc(32, 1),
  startIntervalNumber: today,
  endIntervalNumber: today + 6,
  transmissionRiskLevel: 4,
};

test.each<[string, Partial<SubmissionPayload>]>([
  ['keys', { keys: [aKey()] }],
  ['countries', { visitedCountries: ['DE'] }],
  ['consent', { consentToFederation: true }],
  ['type ≠ 2', { submissionType: SubmissionType.SUBMISSION_TYPE_PCR_TEST }],
  ['two locations of check-ins', { checkIns: [aCheckIn, { ...aCheckIn, locationId: Buffer.alloc(32, 2) }] }],
  ['two locations of reports', { checkInProtectedReports: [aReport(), aReport({ locationIdHash: randomBytes(32) })] }],
  ['no reports', { checkInProtectedReports: [] }],
])('S row 33: on-behalf with %s', async (_name, fields) => {
  const service = testService(database);
  const tan = service.verification.issue('event');
  expect(await service.submit(tan, aWarning(fields), true)).toMatchObject(invalid('PAYLOAD_RULE_ON_BEHALF'));
  expect(service.verification.isFree(tan)).toBe(true);
});

test.each([
  { iv: randomBytes(15) },
  { iv: randomBytes(32) },
  { locationIdHash: randomBytes(31) },
  { encryptedCheckInRecord: randomBytes(17) },
  { mac: randomBytes(16) },
])('S row 35: protected report with %j (iv 15 bytes and the like) is refused on both routes', async (change) => {
  const checkInProtectedReports = [aReport(change)];
  const wrong = invalid('PAYLOAD_RULE_CHECK_IN_PROTECTED_REPORT');
  expect(await submitOne(database, aPayload({ checkInProtectedReports }))).toMatchObject(wrong);
  const service = testService(database);
  const warning = aWarning({ checkInProtectedReports });
  expect(await service.submit(service.verification.issue('event'), warning, true)).toMatchObject(wrong);
});

test('S 1.6, decision 17: at most 100 protected reports an upload', async () => {
  const reports = (n: number) => aPayload({ checkInProtectedReports: Array.from({ length: n }, () => aReport()) });
  expect(await submitOne(database, reports(100))).toMatchObject(stored);
  expect(await submitOne(database, reports(101))).toMatchObject(invalid('PAYLOAD_RULE_CHECK_IN_PROTECTED_REPORT'));
});

test.each([
  { transmissionRiskLevel: 0 },
  { transmissionRiskLevel: 9 },
  { locationId: Buffer.alloc(31) },
  { startIntervalNumber: 0 },
  { endIntervalNumber: today - 1 },
])('S 1.6: check-in with %j is refused on both routes', async (change) => {
  const checkIns = [{ ...aCheckIn, ...change }];
  expect(await submitOne(database, aPayload({ checkIns }))).toMatchObject(invalid('PAYLOAD_RULE_CHECK_IN'));
  const service = testService(database);
  const outcome = await service.submit(service.verification.issue('event'), aWarning({ checkIns }), true);
  expect(outcome).toMatchObject(invalid('PAYLOAD_RULE_CHECK_IN'));
});

test('S 1.6: a check-in may end in the interval in which it began', async () => {
  const checkIns = [1, 8].map((transmissionRiskLevel) => ({
    ...aCheckIn,
    endIntervalNumber: today,
    transmissionRiskLevel,
  }));
  expect(await submitOne(database, aPayload({ checkIns }))).toMatchObject(stored);
});

test('S 1.6: submission type 0 to 2 with a TAN; a host warning with a storable key is refused', async () => {
  const future = [aKey({ rollingStartIntervalNumber: today + 144 })];
  for (const submissionType of [2, 3, 9, 10] as SubmissionType[]) {
    expect(await submitOne(database, aPayload({ submissionType }))).toMatchObject(
      invalid('PAYLOAD_RULE_SUBMISSION_TYPE'),
    );
  }
  const mixed = aPayload({ submissionType: 2, keys: [...future, aKey()] });
  expect(await submitOne(database, mixed)).toMatchObject(invalid('PAYLOAD_RULE_SUBMISSION_TYPE'));
  expect(await submitOne(database, aPayload({ submissionType: 2, keys: future }))).toMatchObject(stored);
});

test('S row 40: client text never evaluated', async () => {
  for (const text of ['${7*7}', '#{7*7}', "'; drop table diagnosis_key; --", 'a\r\nb']) {
    expect(await submitOne(database, aPayload({ origin: text }))).toEqual({
      ...invalid('PAYLOAD_RULE_ORIGIN'),
      filteredCheckIns: 0,
      savedCheckIns: 0,
    });
    expect(await submitOne(database, aPayload({ visitedCountries: [text] }))).toMatchObject(
      invalid('PAYLOAD_RULE_VISITED_COUNTRIES'),
    );
  }
});

test.each([
  ['nothing', Buffer.alloc(0), 'PAYLOAD_RULE_KEY_COUNT'],
  ['text', Buffer.from('not a payload at all'), 'PAYLOAD_RULE_UNPARSABLE'],
  ['a tag of 0 behind good keys', Buffer.concat([aPayload(), Buffer.from([0, 1, 2])]), 'PAYLOAD_RULE_UNPARSABLE'],
  ['a key that reaches beyond the end', aPayload().subarray(0, 20), 'PAYLOAD_RULE_UNPARSABLE'],
  ['a field that reaches beyond its key', Buffer.from([0x0a, 3, 0x0a, 5, 1, 0x12, 2, 1, 1]), 'PAYLOAD_RULE_UNPARSABLE'],
] as const)('S 1.4: unparsable protobuf: %s', async (_name, bytes, rule) => {
  expect(await submitOne(database, Buffer.from(bytes))).toMatchObject(invalid(rule));
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
