import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type SubmissionPayload, SubmissionType } from '../../gen/mesh/cwa/exposure/v1/submission_payload.ts';
import { PayloadRule, UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { unavailable } from '../../lib/rpc/errors.ts';
import { aCall } from '../../lib/testing/call.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { aKey, aPayload, aReport, aWarning, now, testService, today } from './fixtures/uploads.ts';
import { inMemoryTanService } from './fixtures/in-memory-tan-service.ts';
import { submitKeys } from './submit-keys.ts';

const stored = { status: UploadStatus.UPLOAD_STATUS_STORED };
const refused = { status: UploadStatus.UPLOAD_STATUS_TAN_REFUSED };
const unavailableNow = { status: UploadStatus.UPLOAD_STATUS_UNAVAILABLE };
const invalid = (rule: keyof typeof PayloadRule) => ({
  status: UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD,
  rule: PayloadRule[rule],
});

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate diagnosis_key, reservation, country_set, supported_country');
});

async function rows(): Promise<Record<string, unknown>[]> {
  const { rows: found } = await database.pool.query(
    `select key_data, submission_type, rolling_start_interval_number as start, rolling_period as period,
       transmission_risk_level as level, days_since_onset_of_symptoms as days, report_type, consent_to_federation as consent,
       origin, visited, submission_hour
     from diagnosis_key join country_set on country_set.id = country_set_id
     order by start desc, key_data, submission_type`,
  );
  return found;
}

/** A payload alone, with a TAN that must survive when the payload is refused. */
async function submitOne(payload: Buffer, config = {}) {
  const service = testService(database, { config });
  const tan = service.verification.issue();
  const outcome = await service.submit(tan, payload);
  if (outcome.status === UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD) {
    expect(service.verification.calls.reserveTans).toBe(0);
    expect(service.verification.isFree(tan)).toBe(true);
  }
  return outcome;
}

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
  expect(await rows()).toEqual([
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

test('S row 13: key 15 or 17 bytes', async () => {
  for (const length of [15, 17]) {
    const payload = aPayload({ keys: [aKey(), aKey({ keyData: randomBytes(length) })] });
    expect(await submitOne(payload)).toMatchObject(invalid('PAYLOAD_RULE_KEY_DATA_LENGTH'));
  }
});

test('S row 14: RSIN not at midnight', async () => {
  const payload = aPayload({ keys: [aKey({ rollingStartIntervalNumber: today - 1 })] });
  expect(await submitOne(payload)).toMatchObject(invalid('PAYLOAD_RULE_ROLLING_START_ALIGNMENT'));
});

test('S row 15: future key among good ones: good ones stored only', async () => {
  const good = aKey();
  const payload = aPayload({ keys: [aKey({ rollingStartIntervalNumber: today + 144 }), good] });
  expect(await submitOne(payload)).toMatchObject(stored);
  expect(await rows()).toMatchObject([{ key_data: good.keyData }]);
});

test('S row 16: key exactly 14 days old / 15 days old: stored / dropped, both accepted', async () => {
  const edge = aKey({ rollingStartIntervalNumber: today - 14 * 144 });
  const old = aKey({ rollingStartIntervalNumber: today - 15 * 144 });
  expect(await submitOne(aPayload({ keys: [edge] }))).toMatchObject(stored);
  expect(await submitOne(aPayload({ keys: [old] }))).toMatchObject(stored);
  expect(await rows()).toMatchObject([{ key_data: edge.keyData }]);
});

test('S row 17: all keys filtered: accepted, zero rows, TAN consumed', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  const keys = [aKey({ rollingStartIntervalNumber: today + 144 }), aKey({ rollingStartIntervalNumber: 0 })];
  expect(await service.submit(tan, aPayload({ keys }))).toMatchObject(stored);
  expect(await database.rowCount('diagnosis_key')).toBe(0);
  expect(service.verification.isSpent(tan)).toBe(true);
});

test('S row 18: rolling period 0, 145 / absent: refused / stored as 144', async () => {
  for (const rollingPeriod of [0, 145]) {
    const payload = aPayload({ keys: [aKey({ rollingPeriod })] });
    expect(await submitOne(payload)).toMatchObject(invalid('PAYLOAD_RULE_ROLLING_PERIOD'));
  }
  await submitOne(aPayload({ keys: [aKey({ rollingPeriod: undefined })] }));
  expect(await rows()).toMatchObject([{ period: 144 }]);
});

test('S row 19: TRL 0, 9; DSOS -16, 4001', async () => {
  for (const transmissionRiskLevel of [0, 9]) {
    const payload = aPayload({ keys: [aKey({ transmissionRiskLevel })] });
    expect(await submitOne(payload)).toMatchObject(invalid('PAYLOAD_RULE_TRANSMISSION_RISK_LEVEL'));
  }
  for (const daysSinceOnsetOfSymptoms of [-16, 4001]) {
    const payload = aPayload({ keys: [aKey({ daysSinceOnsetOfSymptoms })] });
    expect(await submitOne(payload)).toMatchObject(invalid('PAYLOAD_RULE_DAYS_SINCE_ONSET'));
  }
});

test('S row 20: TRL and DSOS missing on one key', async () => {
  const bare = aKey({ transmissionRiskLevel: undefined, daysSinceOnsetOfSymptoms: undefined });
  expect(await submitOne(aPayload({ keys: [aKey(), bare] }))).toMatchObject(
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
    expect(await submitOne(aPayload({ keys: [aKey(sent)] }))).toMatchObject(stored);
    expect(await rows()).toMatchObject([kept]);
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
  expect(await submitOne(Buffer.concat([Buffer.from([0x0a, key.length]), key]))).toMatchObject(stored);
  expect(await rows()).toMatchObject([{ key_data: Buffer.alloc(16, 9), days: -3, level: 5, consent: false }]);
});

test('S row 23: origin IT / empty / absent: refused / DE / DE', async () => {
  expect(await submitOne(aPayload({ origin: 'IT' }))).toMatchObject(invalid('PAYLOAD_RULE_ORIGIN'));
  for (const origin of ['', '  ', undefined]) expect(await submitOne(aPayload({ origin }))).toMatchObject(stored);
  expect(await rows()).toMatchObject(Array(3).fill({ origin: 'DE', visited: ['DE'] }));
});

test('S row 24: visited country unsupported: refused; ["FR"] stored as {FR, DE}', async () => {
  expect(await submitOne(aPayload({ visitedCountries: ['FR', 'US'] }))).toMatchObject(
    invalid('PAYLOAD_RULE_VISITED_COUNTRIES'),
  );
  expect(await submitOne(aPayload({ visitedCountries: ['FR'] }))).toMatchObject(stored);
  expect(await rows()).toMatchObject([{ visited: ['DE', 'FR'] }]);
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

test('S row 25: two keys same day: both rows', async () => {
  await submitOne(aPayload({ keys: [aKey({ rollingPeriod: 60 }), aKey({ rollingPeriod: 84 })] }));
  expect(await database.rowCount('diagnosis_key')).toBe(2);
});

test('S 1.6: the same key twice in one payload is stored once', async () => {
  const key = aKey();
  expect(await submitOne(aPayload({ keys: [key, key] }))).toMatchObject(stored);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
});

test('S 1.6: report types 1 to 3 are kept, anything else is a confirmed test', async () => {
  const keys = [0, 1, 2, 3, 4, 5, 77].map((reportType, i) =>
    aKey({ reportType, rollingStartIntervalNumber: today - i * 144 }),
  );
  await submitOne(aPayload({ keys }));
  expect((await rows()).map((row) => row['report_type'])).toEqual([1, 1, 2, 3, 1, 1, 1]);
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

test('S row 27: same TAN, other keys', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  await service.submit(tan, aPayload());
  expect(await service.submit(tan, aPayload())).toMatchObject(refused);
  expect(await database.rowCount('diagnosis_key')).toBe(1);
});

test('S row 28: PCR then RAPID same key / reverse: one row / two rows', async () => {
  const service = testService(database);
  const keys = [aKey()];
  const submit = (submissionType: SubmissionType) =>
    service.submit(service.verification.issue(), aPayload({ keys, submissionType }));
  const types = async () => (await rows()).map((row) => row['submission_type']);
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
  await submitOne(aPayload({ keys }), { keyPaddingMultiplier: 10 });
  const found = await rows();
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

test('S row 34: on-behalf with TEST TAN', async () => {
  const service = testService(database);
  const tan = service.verification.issue();
  expect(await service.submit(tan, aWarning(), true)).toMatchObject(refused);
  expect(service.verification.isFree(tan)).toBe(true);
});

test('S row 35: protected report iv 15 bytes', async () => {
  const bad = [aReport({ iv: randomBytes(15) })];
  expect(await submitOne(aPayload({ checkInProtectedReports: bad }))).toMatchObject(
    invalid('PAYLOAD_RULE_CHECK_IN_PROTECTED_REPORT'),
  );
  const service = testService(database);
  const outcome = await service.submit(
    service.verification.issue('event'),
    aWarning({ checkInProtectedReports: bad }),
    true,
  );
  expect(outcome).toMatchObject(invalid('PAYLOAD_RULE_CHECK_IN_PROTECTED_REPORT'));
});

test('S 1.6, decision 17: at most 100 protected reports an upload', async () => {
  const reports = (n: number) => aPayload({ checkInProtectedReports: Array.from({ length: n }, () => aReport()) });
  expect(await submitOne(reports(100))).toMatchObject(stored);
  expect(await submitOne(reports(101))).toMatchObject(invalid('PAYLOAD_RULE_CHECK_IN_PROTECTED_REPORT'));
});

test.each([
  { transmissionRiskLevel: 0 },
  { transmissionRiskLevel: 9 },
  { locationId: Buffer.alloc(31) },
  { startIntervalNumber: 0 },
  { endIntervalNumber: today - 1 },
])('S 1.6: check-in with %j is refused on both routes', async (change) => {
  const checkIns = [{ ...aCheckIn, ...change }];
  expect(await submitOne(aPayload({ checkIns }))).toMatchObject(invalid('PAYLOAD_RULE_CHECK_IN'));
  const service = testService(database);
  const outcome = await service.submit(service.verification.issue('event'), aWarning({ checkIns }), true);
  expect(outcome).toMatchObject(invalid('PAYLOAD_RULE_CHECK_IN'));
});

test('S 1.6: submission type 0 to 2 with a TAN; a host warning with a storable key is refused', async () => {
  const future = [aKey({ rollingStartIntervalNumber: today + 144 })];
  for (const submissionType of [2, 3, 9, 10] as SubmissionType[]) {
    expect(await submitOne(aPayload({ submissionType }))).toMatchObject(invalid('PAYLOAD_RULE_SUBMISSION_TYPE'));
  }
  expect(await submitOne(aPayload({ submissionType: 2, keys: future }))).toMatchObject(stored);
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

test('S row 40: client text never evaluated', async () => {
  for (const text of ['${7*7}', '#{7*7}', "'; drop table diagnosis_key; --", 'a\r\nb']) {
    expect(await submitOne(aPayload({ origin: text }))).toEqual({
      ...invalid('PAYLOAD_RULE_ORIGIN'),
      filteredCheckIns: 0,
      savedCheckIns: 0,
    });
    expect(await submitOne(aPayload({ visitedCountries: [text] }))).toMatchObject(
      invalid('PAYLOAD_RULE_VISITED_COUNTRIES'),
    );
  }
});

test.each([
  ['nothing', Buffer.alloc(0), 'PAYLOAD_RULE_KEY_COUNT'],
  ['text', Buffer.from('not a payload at all'), 'PAYLOAD_RULE_UNPARSABLE'],
  ['a tag of 0 behind good keys', Buffer.concat([aPayload(), Buffer.from([0, 1, 2])]), 'PAYLOAD_RULE_UNPARSABLE'],
  ['a key that reaches beyond the end', aPayload().subarray(0, 20), 'PAYLOAD_RULE_UNPARSABLE'],
  ['a field that reaches beyond its key', Buffer.from([0x0a, 3, 0x0a, 5, 1, 1, 1, 1, 1]), 'PAYLOAD_RULE_UNPARSABLE'],
] as const)('S 1.4: unparsable protobuf: %s', async (_name, bytes, rule) => {
  expect(await submitOne(Buffer.from(bytes))).toMatchObject(invalid(rule));
});

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
