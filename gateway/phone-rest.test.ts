import { afterAll, beforeAll, expect, test } from 'vitest';
import { UploadStatus } from '../gen/mesh/cwa/submission/v1/submission.ts';
import { IssueTanRefusal } from '../gen/mesh/cwa/verification/v1/verification.ts';
import { goodTan, known, stranger } from './fixtures/answering-mesh.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { openHttp2 } from './fixtures/http2.ts';
import { payload, phoneRequests } from './fixtures/phone-requests.ts';
import { getTestResult, issueTan, type PhoneDeps, submitKeys } from './phone.ts';

type Gateway = Awaited<ReturnType<typeof startGateway>>;
let gateway: Gateway;
let http1: Awaited<ReturnType<typeof openHttp1>>;
let http2: Awaited<ReturnType<typeof openHttp2>>;

beforeAll(async () => {
  gateway = await startGateway();
  http1 = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  http2 = await openHttp2({ port: gateway.phonePort, ca: gateway.ca });
});
afterAll(async () => {
  http1.close();
  http2.close();
  await gateway.close();
});

const both = async (sent: Sent) => {
  const one = await http1.send(sent);
  const two = await http2.send(sent);
  expect(two.status).toBe(one.status);
  expect(two.body.equals(one.body) || one.status < 300).toBe(true);
  return one;
};

const json = (path: string, body: unknown, headers: Record<string, string> = {}): Sent => ({
  path,
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const upload = (headers: Record<string, string>, body: Uint8Array | string = payload()): Sent => ({
  path: '/version/v1/diagnosis-keys',
  headers: { 'content-type': 'application/x-protobuf', ...headers },
  body,
});
const real = { 'cwa-fake': '0', 'cwa-authorization': goodTan };

test.each(Object.entries(phoneRequests))(
  '%s is answered, real and fake, over both HTTP versions',
  async (_name, { status, real, fake }) => {
    for (const sent of [real, fake]) {
      expect((await http1.send(sent)).status).toBe(status);
      expect((await http2.send(sent)).status).toBe(status);
    }
  },
);

test('S 2.11: the members of fake answers are those of a success of this moment', async () => {
  const told = async (name: string) =>
    JSON.parse((await http1.send(phoneRequests[name]?.fake as Sent)).body.toString());
  const responsePadding = expect.any(String);
  const uuid = expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(await told('registrationToken')).toEqual({ registrationToken: uuid, responsePadding });
  expect(await told('tan')).toEqual({ tan: uuid, responsePadding });
  const from = Math.floor(gateway.deps.clock.nowMs() / 1_000);
  const { sc, ...result } = await told('testresult');
  expect(result).toEqual({ testResult: 2, responsePadding });
  expect(sc).toBeGreaterThanOrEqual(from);
  expect(sc).toBeLessThanOrEqual(gateway.deps.clock.nowMs() / 1_000);
});

test('S 2.2 to 2.4: the members of the answers', async () => {
  const register = await http1.send(phoneRequests['registrationToken']?.real as Sent);
  expect(JSON.parse(register.body.toString())).toEqual({
    registrationToken: known,
    responsePadding: expect.any(String),
  });
  const result = await http1.send(phoneRequests['testresult']?.real as Sent);
  expect(JSON.parse(result.body.toString())).toEqual({
    testResult: 2,
    sc: 1_700_000_000,
    labId: 'l'.repeat(64),
    responsePadding: expect.any(String),
  });
  const tan = await http1.send(phoneRequests['tan']?.real as Sent);
  expect(JSON.parse(tan.body.toString())).toEqual({ tan: goodTan, responsePadding: expect.any(String) });
  expect(tan.headers['content-type']).toBe('application/json');
});

test('the aliases of requirement text 000 answer, the internal paths are 404 (S row 56)', async () => {
  expect((await both(json('/api/v1/registrationToken', { keyType: 'GUID', key: 'f'.repeat(64) }))).status).toBe(201);
  expect((await both(json('/api/v1/testresult', { registrationToken: known }))).status).toBe(200);
  expect((await both(json('/api/tan', { registrationToken: known }))).status).toBe(201);
  for (const path of ['/version/v1/tan/verify', '/version/v1/tan/teletan', '/api/tan/verify', '/api/tan/teletan']) {
    expect((await both(json(path, { tan: goodTan }))).status).toBe(404);
  }
});

test('S row 2: fake upload with garbage body is 200, both check-in headers 0, no call', async () => {
  const before = gateway.asked.uploads.length;
  const got = await both(upload({ 'cwa-fake': '1', 'cwa-authorization': '' }, Buffer.from([255, 255, 255])));
  expect(got.status).toBe(200);
  expect(got.headers).toMatchObject({ 'cwa-filtered-checkins': '0', 'cwa-saved-checkins': '0', 'content-length': '0' });
  expect(gateway.asked.uploads.length).toBe(before);
});

test.each(['4711', '-1', '2', '+7'])('S row 3: any non-zero integer is fake (%s)', async (value) => {
  expect((await both(upload({ 'cwa-fake': value }))).status).toBe(200);
});

test('S row 4: missing and non-numeric cwa-fake are 400', async () => {
  expect((await both(upload({ 'cwa-authorization': goodTan }))).status).toBe(400);
  for (const value of ['x', '', '1.5', '0x1', '99999999999', '1, 1', '00', '-0', '+0']) {
    expect((await both(upload({ 'cwa-authorization': goodTan, 'cwa-fake': value }))).status).toBe(400);
  }
});

test('S row 7: bare TAN and `TAN <uuid>` both pass, and the padding ends here', async () => {
  for (const value of [goodTan, `TAN ${goodTan}`]) {
    expect((await both(upload({ 'cwa-fake': '0', 'cwa-authorization': value }))).status).toBe(200);
  }
  // Blanks around it only exist in HTTP/1.1.
  expect((await http1.send(upload({ 'cwa-fake': '0', 'cwa-authorization': `  ${goodTan} ` }))).status).toBe(200);
  const last = gateway.asked.uploads.at(-1);
  expect(last?.tan).toBe(goodTan);
  expect(last?.payload.includes(Buffer.alloc(28, 'p'))).toBe(false);
  expect(last?.payload.length).toBe(payload().length - 30);
});

test('S row 8: malformed TAN is 403, S row 9: refused TAN is 403', async () => {
  for (const value of ['nonsense', 'bbbbbbbb-9740-11ea-bb37-0242ac130002', stranger]) {
    expect((await both(upload({ 'cwa-fake': '0', 'cwa-authorization': value }))).status).toBe(403);
  }
});

test('S row 10: none or both of TAN and OTP is 400; an OTP alone is 403 until self-reports exist', async () => {
  expect((await both(upload({ 'cwa-fake': '0' }))).status).toBe(400);
  expect((await both(upload({ 'cwa-fake': '0', 'cwa-authorization': ' ' }))).status).toBe(400);
  expect((await both(upload({ ...real, 'cwa-otp': known }))).status).toBe(400);
  expect((await both(upload({ 'cwa-fake': '0', 'cwa-otp': known }))).status).toBe(403);
});

test('S row 11: size limit, with and without Content-Length', async () => {
  for (const chunked of [false, true]) {
    expect((await http1.send({ ...upload(real, Buffer.alloc(102_401)), chunked })).status).toBe(400);
    expect((await http1.send({ ...upload({ 'cwa-fake': '1' }, Buffer.alloc(102_401)), chunked })).status).toBe(400);
    expect((await http1.send({ ...upload({ 'cwa-fake': '1' }, Buffer.alloc(102_400)), chunked })).status).toBe(200);
  }
  expect((await http2.send(upload(real, Buffer.alloc(102_401)))).status).toBe(400);
  expect((await http2.send(upload({ 'cwa-fake': '1' }, Buffer.alloc(102_400)))).status).toBe(200);
});

test('unparsable protobuf is 400 and never reaches the mesh', async () => {
  const before = gateway.asked.uploads.length;
  for (const body of [
    Buffer.from([0x0a, 0xff, 0xff]),
    Buffer.from([255]),
    Buffer.from('{}'),
    payload().subarray(0, 100),
  ]) {
    expect((await both(upload(real, body))).status).toBe(400);
  }
  expect(gateway.asked.uploads.length).toBe(before);
});

test('submission-on-behalf: TAN required, no fake variant', async () => {
  const path = '/version/v1/submission-on-behalf';
  expect((await both({ ...upload(real), path })).status).toBe(200);
  expect(gateway.asked.uploads.at(-1)?.onBehalf).toBe(true);
  expect((await both({ ...upload({ 'cwa-fake': '0' }), path })).status).toBe(400);
  expect((await both({ ...upload({ ...real, 'cwa-fake': '1' }), path })).status).toBe(404);
  expect((await both({ ...upload({ 'cwa-authorization': goodTan }), path })).status).toBe(400);
});

test('S row 41: a refused registration is 400; hashes go on in lower case', async () => {
  const path = '/version/v1/registrationToken';
  expect((await both(json(path, { keyType: 'GUID', key: '0'.repeat(64) }))).status).toBe(400);
  await http1.send(
    json(path, { keyType: 'GUID', key: 'F'.repeat(64), keyDob: `X${'A'.repeat(63)}`, requestPadding: 'x' }),
  );
  expect(gateway.asked.registrations.at(-1)).toMatchObject({ key: 'f'.repeat(64), keyDob: `x${'a'.repeat(63)}` });
});

test('S row 43: keyDob without hex, x or of 65 characters is 400, as are all malformed bodies, fake or not', async () => {
  const path = '/version/v1/registrationToken';
  const key = 'f'.repeat(64);
  const bad = [
    { keyType: 'GUID', key, keyDob: `y${'a'.repeat(63)}` },
    { keyType: 'GUID', key, keyDob: `x${'a'.repeat(64)}` },
    { keyType: 'GUID', key, keyDob: `x${'g'.repeat(63)}` },
    { keyType: 'GUID', key, keyDob: '' },
    { keyType: 'guid', key },
    { keyType: 'TELETAN', key },
    { keyType: 'TELETAN', key: 'ABCDEFGHI0' },
    { keyType: 'GUID', key: 5 },
    { key },
    [],
    'null',
    '{',
    '',
    '"x"',
  ];
  for (const body of bad) {
    for (const fake of ['0', '1']) {
      const got = await both(json(path, body, { 'cwa-fake': fake }));
      expect([got.status, got.body.length]).toEqual([400, 0]);
    }
  }
  expect((await both(json(path, { keyType: 'TELETAN', key: '9A3B578UMG', keyDob: null }))).status).toBe(201);
});

test('S 2.3, 2.4: refusals of the mesh as statuses', async () => {
  const asking = (path: string, token: string) => both(json(path, { registrationToken: token }));
  const other = (first: string) => `${first}aaaaaaa-9740-41ea-bb37-0242ac130002`;
  expect((await asking('/version/v1/testresult', stranger)).status).toBe(400);
  expect((await asking('/version/v1/testresult', other('d'))).status).toBe(403);
  expect((await asking('/version/v1/testresult', other('e'))).status).toBe(500);
  expect((await asking('/version/v1/tan', stranger)).status).toBe(400);
  expect((await asking('/version/v1/tan', other('e'))).status).toBe(500);
  expect((await asking('/version/v1/tan', known.toUpperCase())).status).toBe(400);
});

test('S 1.4, 2.4: each word of submission and verification has its status', async () => {
  const { deps } = gateway;
  const asked = <T>(mesh: Partial<typeof deps.mesh>, answer: (deps: PhoneDeps) => Promise<T>) =>
    answer({ ...deps, mesh: { ...deps.mesh, ...mesh } });
  const uploaded = (status: UploadStatus) =>
    asked({ submitKeys: async () => ({ status, rule: 0, filteredCheckIns: 3, savedCheckIns: 4 }) }, (d) =>
      submitKeys.answer({ payload: Buffer.alloc(0), tan: goodTan }, d),
    );
  expect(await uploaded(UploadStatus.UPLOAD_STATUS_STORED)).toEqual({
    value: { filteredCheckIns: 3, savedCheckIns: 4 },
  });
  expect(await uploaded(UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD)).toEqual({ refused: 400 });
  expect(await uploaded(UploadStatus.UPLOAD_STATUS_TAN_REFUSED)).toEqual({ refused: 403 });
  expect(await uploaded(UploadStatus.UPLOAD_STATUS_UNAVAILABLE)).toEqual({ refused: 500 });
  expect(await uploaded(UploadStatus.UPLOAD_STATUS_UNSPECIFIED)).toEqual({ refused: 500 });

  const labIdTold = async (labId: string) => {
    const value = { code: 2, sampleCollectedAt: 1, labId };
    const result = asked({ getTestResult: async () => ({ outcome: { $case: 'testResult', value } }) }, (d) =>
      getTestResult.answer(known, d),
    );
    return 'labId' in ((await result) as { value: object }).value;
  };
  expect(await labIdTold('l'.repeat(64))).toBe(true);
  expect(await labIdTold('"'.repeat(40)), 'would not fit into the fixed size').toBe(false);

  const issued = (value: IssueTanRefusal) =>
    asked({ issueTan: async () => ({ outcome: { $case: 'refused', value } }) }, (d) => issueTan.answer(known, d));
  for (const refusal of ['UNKNOWN_TOKEN', 'NOT_POSITIVE', 'LIMIT_REACHED'] as const) {
    expect(await issued(IssueTanRefusal[`ISSUE_TAN_REFUSAL_${refusal}`])).toEqual({ refused: 400 });
  }
  expect(await issued(IssueTanRefusal.ISSUE_TAN_REFUSAL_UNAVAILABLE)).toEqual({ refused: 500 });
});

test('S row 54: fake tan with both app dummy tokens is 201, nothing asked', async () => {
  const before = gateway.asked.tans.length;
  for (const token of ['11111111-2222-4444-8888-161616161616', '63b4d3ff-e0de-4bd4-90c1-17c2bb683a2f']) {
    expect((await both(json('/version/v1/tan', { registrationToken: token }, { 'cwa-fake': '1' }))).status).toBe(201);
  }
  expect(gateway.asked.tans.length).toBe(before);
  // Anything but `1` is real (S 2.1).
  await both(json('/version/v1/tan', { registrationToken: known }, { 'cwa-fake': '2' }));
  expect(gateway.asked.tans.length).toBe(before + 2);
});

test('S row 55: chunked or more than 10,000 B to verification is 406; HTTP/2 needs no length', async () => {
  const good = json('/version/v1/tan', { registrationToken: known });
  expect((await http1.send({ ...good, chunked: true })).status).toBe(406);
  expect((await http2.send(good)).status).toBe(201);
  const large = (size: number) =>
    json('/version/v1/tan', { registrationToken: known, requestPadding: 'x'.repeat(size - 80) });
  expect(large(10_000).body?.length).toBe(10_000);
  expect((await both(large(10_000))).status).toBe(201);
  expect((await both(large(10_001))).status).toBe(406);
});

test('the same operations as Connect calls have the same limits', async () => {
  const rpc = (method: string, size: number) =>
    json(`/cwa.phone.v1.PhoneService/${method}`, { registrationToken: known, requestPadding: 'x'.repeat(size - 80) });
  expect((await both(rpc('IssueTan', 10_000))).status).toBe(200);
  expect((await both(rpc('IssueTan', 10_001))).status).toBe(400);
  expect((await both(rpc('GetTestResult', 20_000))).status).toBe(400);
});

test('wrong verb 405, wrong type 415, unknown path 404, all empty', async () => {
  for (const { real } of Object.values(phoneRequests)) {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'HEAD']) {
      const got = await both({ path: real.path, method });
      expect([method, got.status, got.body.length, got.headers['allow']]).toEqual([method, 405, 0, 'POST']);
    }
    for (const type of ['text/plain', 'application/xml', 'garbage', ';;;', '', 'application/jsonx']) {
      const got = await both({ ...real, headers: { ...real.headers, 'content-type': type } });
      expect([type, got.status, got.body.length]).toEqual([type, 415, 0]);
    }
  }
  for (const path of [
    '/',
    '/version/v1/tan/',
    '/version/v2/tan',
    '/api/v1/app/result',
    '/%',
    '/%zz',
    '/a%00b',
    '/cwa.phone.v1.PhoneService/Nothing',
  ]) {
    for (const method of ['POST', 'GET', 'PROPFIND']) {
      const got = await both({ path, method, headers: { 'content-type': 'text/strange; x="' } });
      expect([path, method, got.status]).toEqual([path, method, 404]);
      expect(got.body.length).toBe(0);
    }
  }
});

test('a service that fails or does not answer is 500 and empty', async () => {
  const failing = await startGateway({
    mesh: {
      submitKeys: () => Promise.reject(new Error('secret text')),
      registerToken: async () => ({ outcome: undefined }),
      getTestResult: () => Promise.reject(new Error('secret text')),
      issueTan: async () => ({ outcome: undefined }),
    },
  });
  try {
    const client = await openHttp1({ port: failing.phonePort, ca: failing.ca });
    for (const { real, fake, status } of Object.values(phoneRequests)) {
      const got = await client.send(real);
      expect([got.status, got.body.length, got.head.includes('secret')]).toEqual([500, 0, false]);
      expect((await client.send(fake)).status).toBe(status);
    }
    client.close();
  } finally {
    await failing.close();
  }
});

test('S row 9: submission that could not reach verification is 500', async () => {
  const down = await startGateway({
    mesh: {
      submitKeys: async () => ({
        status: UploadStatus.UPLOAD_STATUS_UNAVAILABLE,
        rule: 0,
        filteredCheckIns: 0,
        savedCheckIns: 0,
      }),
    },
  });
  const client = await openHttp1({ port: down.phonePort, ca: down.ca });
  expect((await client.send(upload(real))).status).toBe(500);
  client.close();
  await down.close();
});

test('every answer tells the mesh clock and nothing of the server', async () => {
  const got = await http1.send(phoneRequests['tan']?.real as Sent);
  const ahead = new Date(got.headers['date'] ?? '').getTime() - Date.now();
  expect(ahead).toBeGreaterThan(3_590_000);
  expect(ahead).toBeLessThan(3_610_000);
  expect(got.names.filter((name) => name.toLowerCase() === 'date')).toHaveLength(1);
  expect(got.headers['server']).toBeUndefined();
  const missing = await http1.send({ path: '/nothing', method: 'GET' });
  expect(new Date(missing.headers['date'] ?? '').getTime() - Date.now()).toBeGreaterThan(3_590_000);
});
