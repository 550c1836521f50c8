import { fromBinary } from '@bufbuild/protobuf';
import { beforeEach, expect, test } from 'vitest';
import { SubmissionPayloadSchema } from '../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { hashText } from '../lib/exposure/token-format.ts';
import { seededRandom } from '../lib/random/random.ts';
import { FakeServer } from './fixtures/fake-server.ts';
import { Phone } from './phone.ts';
import type { UploadKey } from './submission-vector.ts';

const GUID = 'E1277F-E1277F24-4AD2-40BC-AFF8-CBCCCD893E4B';
const TOKEN = '1ea6ce8a-9740-41ea-bb37-0242ac130002';
const TAN = '7f4c5a3e-1b2d-4c3d-9e8f-001122334455';
const NOW = 1_600_000_000;
const [REGISTER, RESULT, ISSUE, UPLOAD] = [
  '/version/v1/registrationToken',
  '/version/v1/testresult',
  '/version/v1/tan',
  '/version/v1/diagnosis-keys',
];

let server: FakeServer;
let phone: Phone;
beforeEach(() => {
  server = new FakeServer(NOW);
  server.answers.set(REGISTER as string, {
    status: 201,
    body: JSON.stringify({ registrationToken: TOKEN, responsePadding: 'x' }),
  });
  server.answers.set(RESULT as string, {
    status: 200,
    body: JSON.stringify({ testResult: 2, sc: NOW - 100, responsePadding: 'x' }),
  });
  server.answers.set(ISSUE as string, { status: 201, body: JSON.stringify({ tan: TAN }) });
  server.answers.set(UPLOAD as string, { status: 200 });
  const clock = { nowMs: () => NOW * 1000, monotonicMs: () => 0 };
  phone = new Phone({ http: server.http, clock, random: seededRandom('phone'), trustedKeys: server.trusted });
});

const calls = (from = 0): string[] =>
  server.requests
    .slice(from)
    .map(({ path, headers }) => `${path.split('/').at(-1)}${headers['cwa-fake'] === '1' ? ' (fake)' : ''}`);
const sentPayload = (): ReturnType<typeof fromBinary<typeof SubmissionPayloadSchema>> =>
  fromBinary(SubmissionPayloadSchema, server.requests.at(-1)?.body as Buffer);
const aKey = (i: number): UploadKey => ({
  keyData: Buffer.alloc(16, i),
  rollingStartIntervalNumber: 2_666_448,
  rollingPeriod: 144,
  transmissionRiskLevel: 5,
  daysSinceOnsetOfSymptoms: 0,
});

test('S 5.1, 5.2: registration by QR is registrationToken, testresult, diagnosis-keys (fake), with the exact headers and 250-octet bodies', async () => {
  const outcome = await phone.registerByQr(`https://localhost/?${GUID}`);
  expect(outcome).toEqual({ registered: true, registrationToken: TOKEN, testResult: { testResult: 2, sc: NOW - 100 } });
  expect(calls()).toEqual(['registrationToken', 'testresult', 'diagnosis-keys (fake)']);
  const [first, second, third] = server.requests;
  expect(first?.headers).toEqual({ 'content-type': 'application/json', 'cwa-fake': '0', 'cwa-header-padding': '' });
  expect(first?.body).toHaveLength(250);
  const body = JSON.parse(String(first?.body)) as Record<string, string>;
  expect(body).toMatchObject({ keyType: 'GUID', key: hashText(GUID) });
  expect(body['requestPadding']).toMatch(/^[A-Za-z0-9]{139}$/);
  expect(second?.headers['cwa-header-padding']).toHaveLength(7);
  expect(JSON.parse(String(second?.body))).toMatchObject({
    registrationToken: TOKEN,
    requestPadding: expect.stringMatching(/^[A-Za-z0-9]{170}$/) as string,
  });
  expect(third?.headers).toMatchObject({
    'content-type': 'application/x-protobuf',
    'cwa-authorization': '',
    'cwa-fake': '1',
  });
  expect(third?.headers['cwa-header-padding']).toHaveLength(36);
  expect(third?.body).toHaveLength(423);
});

test('S 5.2: padding with date of birth is 63 characters, of a teleTAN 190', async () => {
  await phone.registerByQr(GUID, { year: 2000, month: 1, day: 1 });
  expect((JSON.parse(String(server.requests[0]?.body)) as Record<string, string>)['requestPadding']).toHaveLength(63);
  await phone.registerByTeleTan('9a3b578umg');
  const request = server.requests[3];
  expect(JSON.parse(String(request?.body))).toMatchObject({
    keyType: 'TELETAN',
    key: '9A3B578UMG',
    requestPadding: expect.stringMatching(/^.{190}$/) as string,
  });
});

test('all three verification requests have one size: path and header padding together, and body', async () => {
  await phone.registerByQr(GUID);
  await phone.uploadKeys({ keys: [aKey(1)] });
  const sizes = server.requests
    .filter(({ path }) => path !== UPLOAD)
    .map(
      ({ path, headers, body }) => `${path.length + (headers['cwa-header-padding'] as string).length} ${body?.length}`,
    );
  expect(new Set(sizes).size).toBe(1);
});

test('S 5.1: a refused registration is followed by tan (fake) and diagnosis-keys (fake)', async () => {
  server.answers.set(REGISTER as string, { status: 400 });
  expect(await phone.registerByQr(GUID)).toEqual({ registered: false, status: 400 });
  expect(calls()).toEqual(['registrationToken', 'tan (fake)', 'diagnosis-keys (fake)']);
  await expect(phone.pollResult()).rejects.toMatchObject({ reason: 'NOT_REGISTERED' });
});

test('S 5.1: a poll is testresult, tan (fake), diagnosis-keys (fake); a result outside 0..9 is refused after the pattern', async () => {
  await phone.registerByQr(GUID);
  expect(await phone.pollResult()).toEqual({ status: 200, testResult: { testResult: 2, sc: NOW - 100 } });
  expect(calls(3)).toEqual(['testresult', 'tan (fake)', 'diagnosis-keys (fake)']);
  server.answers.set(RESULT as string, { status: 400 });
  expect(await phone.pollResult()).toEqual({ status: 400 });
  server.answers.set(RESULT as string, { status: 200, body: '{"testResult":10}' });
  await expect(phone.pollResult()).rejects.toMatchObject({ reason: 'UNREADABLE_ANSWER' });
  expect(calls().length).toBe(12);
});

test('S 5.1, 5.2: an upload is tan, tan (fake), diagnosis-keys; padding 28 octets for each key short of 15; no report type, no origin', async () => {
  await phone.registerByQr(GUID);
  const outcome = await phone.uploadKeys({ keys: [aKey(1), aKey(2)] });
  expect(outcome).toEqual({ accepted: true, tanStatus: 201, uploadStatus: 200, keysSent: 2 });
  expect(calls(3)).toEqual(['tan', 'tan (fake)', 'diagnosis-keys']);
  expect(server.requests.at(-1)?.headers).toEqual({
    'content-type': 'application/x-protobuf',
    'cwa-authorization': TAN,
    'cwa-fake': '0',
    'cwa-header-padding': '',
  });
  const payload = sentPayload();
  expect(payload.requestPadding).toHaveLength(28 * 13);
  expect(payload).toMatchObject({ consentToFederation: true, visitedCountries: ['DE'], submissionType: 0 });
  expect(payload.origin).toBeUndefined();
  expect(payload.keys[0]?.reportType).toBeUndefined();
  expect(payload.keys[0]?.daysSinceOnsetOfSymptoms).toBe(0);
});

test('keys are sent as they are: absent fields stay absent, more than 15 keys need no padding', async () => {
  await phone.registerByQr(GUID);
  await phone.uploadKeys({
    keys: Array.from({ length: 20 }, (_, i) => ({ keyData: Buffer.alloc(16, i), rollingStartIntervalNumber: 5 })),
  });
  const payload = sentPayload();
  expect(payload.requestPadding).toHaveLength(0);
  expect(payload.keys).toHaveLength(20);
  expect(payload.keys[7]).toMatchObject({ rollingStartIntervalNumber: 5 });
  expect(payload.keys[7]?.rollingPeriod).toBeUndefined();
  expect(payload.keys[7]?.transmissionRiskLevel).toBeUndefined();
});

test('S 5.1, 5.3: a TAN whose upload failed is used again: tan (fake), tan (fake), diagnosis-keys', async () => {
  await phone.registerByQr(GUID);
  server.broken.add(UPLOAD as string);
  expect(await phone.uploadKeys({ keys: [aKey(1)] })).toMatchObject({ accepted: false, tan: TAN });
  server.broken.clear();
  server.answers.set(UPLOAD as string, { status: 500 });
  expect(await phone.uploadKeys({ keys: [aKey(1)] })).toMatchObject({ accepted: false, uploadStatus: 500 });
  server.answers.set(UPLOAD as string, { status: 200 });
  expect(await phone.uploadKeys({ keys: [aKey(1)] })).toMatchObject({ accepted: true });
  expect(calls(6)).toEqual([
    'tan (fake)',
    'tan (fake)',
    'diagnosis-keys',
    'tan (fake)',
    'tan (fake)',
    'diagnosis-keys',
  ]);
  expect(server.requests.at(-1)?.headers['cwa-authorization']).toBe(TAN);
  await phone.uploadKeys({ keys: [aKey(1)] });
  expect(calls(12)).toEqual(['tan', 'tan (fake)', 'diagnosis-keys']);
});

test('S 5.1: a refused TAN is followed by tan (fake) and diagnosis-keys (fake)', async () => {
  await phone.registerByQr(GUID);
  server.answers.set(ISSUE as string, { status: 400 });
  expect(await phone.uploadKeys({ keys: [aKey(1)] })).toEqual({ accepted: false, tanStatus: 400, keysSent: 1 });
  expect(calls(3)).toEqual(['tan', 'tan (fake)', 'diagnosis-keys (fake)']);
});

test('S-9: a fake sequence is tan (fake), tan (fake), diagnosis-keys (fake), and its failures do not matter', async () => {
  for (const path of [ISSUE, UPLOAD]) server.broken.add(path as string);
  await phone.sendFakes();
  expect(calls()).toEqual(['tan (fake)', 'tan (fake)', 'diagnosis-keys (fake)']);
});

test('own keys carry both risk fields by age; the key of the running day is withheld', async () => {
  await phone.registerByQr(GUID);
  phone.liveThrough(NOW - 20 * 86_400);
  expect((await phone.uploadKeys({ symptoms: { kind: 'no-answer' } })).keysSent).toBe(14);
  expect(
    sentPayload()
      .keys.map((key) => [key.transmissionRiskLevel, key.daysSinceOnsetOfSymptoms])
      .slice(0, 3),
  ).toEqual([
    [6, 3999],
    [7, 3998],
    [7, 3997],
  ]);
});

test('every exchange is reported without content', async () => {
  const events: unknown[] = [];
  const talking = new Phone({
    http: server.http,
    clock: { nowMs: () => NOW * 1000, monotonicMs: () => 5 },
    random: seededRandom('x'),
    trustedKeys: server.trusted,
    log: (event) => events.push(event),
  });
  await talking.registerByQr(GUID);
  expect(events[0]).toEqual({
    kind: 'exchange',
    method: 'POST',
    path: REGISTER,
    fake: false,
    requestBytes: 250,
    responseBytes: expect.any(Number) as number,
    status: 201,
    ms: 0,
  });
  expect(events).toHaveLength(3);
  expect(JSON.stringify(events)).not.toContain(TOKEN);
});
