import { create, fromBinary, toBinary, toJsonString } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  GetTestResultRequestSchema,
  GetTestResultResponseSchema,
  KeyType,
  PhoneService,
  RegisterTokenRequestSchema,
  SubmitKeysRequestSchema,
  IssueTanRequestSchema,
} from '../gen/edge/cwa/phone/v1/phone_pb.ts';
import { SubmissionPayloadSchema } from '../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { UploadStatus } from '../gen/mesh/cwa/submission/v1/submission.ts';
import { bodySize, headerBlockSize, sizedHeaders } from './answer-size.ts';
import { http2Cost } from './header-cost.ts';
import { emptyAnswer } from './answer.ts';
import { goodTan, known, stranger } from './fixtures/answering-mesh.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { openHttp2 } from './fixtures/http2.ts';
import { payload, phoneRequests } from './fixtures/phone-requests.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  let uploads = 0;
  gateway = await startGateway({
    mesh: {
      // Counts of check-ins that differ in digits and length must not show.
      submitKeys: async ({ tan }) => ({
        status: tan === goodTan ? UploadStatus.UPLOAD_STATUS_STORED : UploadStatus.UPLOAD_STATUS_TAN_REFUSED,
        rule: 0,
        filteredCheckIns: (uploads += 7),
        savedCheckIns: 3 * uploads,
      }),
    },
  });
});
afterAll(() => gateway.close());

/** The same operations as Connect and gRPC-web calls. */
function rpcRequests(): Record<string, { real: Sent; fake: Sent; refused: Sent }> {
  const submission = { payload: fromBinary(SubmissionPayloadSchema, payload()) };
  const methods = [
    [
      'RegisterToken',
      RegisterTokenRequestSchema,
      create(RegisterTokenRequestSchema, { keyType: KeyType.GUID, key: 'f'.repeat(64) }),
      create(RegisterTokenRequestSchema, { keyType: KeyType.GUID, key: '0'.repeat(64) }),
    ],
    [
      'GetTestResult',
      GetTestResultRequestSchema,
      create(GetTestResultRequestSchema, { registrationToken: known }),
      create(GetTestResultRequestSchema, { registrationToken: stranger }),
    ],
    [
      'IssueTan',
      IssueTanRequestSchema,
      create(IssueTanRequestSchema, { registrationToken: known }),
      create(IssueTanRequestSchema, { registrationToken: stranger }),
    ],
    [
      'SubmitKeys',
      SubmitKeysRequestSchema,
      create(SubmitKeysRequestSchema, submission),
      create(SubmitKeysRequestSchema, submission),
    ],
  ] as const;
  const requests: Record<string, { real: Sent; fake: Sent; refused: Sent }> = {};
  for (const [name, schema, good, bad] of methods) {
    const path = `/cwa.phone.v1.PhoneService/${name}`;
    const encoded = {
      'application/proto': (message: typeof good) => Buffer.from(toBinary(schema as never, message as never)),
      'application/json': (message: typeof good) => Buffer.from(toJsonString(schema as never, message as never)),
      'application/grpc-web+proto': (message: typeof good) => envelope(toBinary(schema as never, message as never)),
      'application/grpc-web+json': (message: typeof good) =>
        envelope(Buffer.from(toJsonString(schema as never, message as never))),
    };
    for (const [type, encode] of Object.entries(encoded)) {
      const upload = name === 'SubmitKeys';
      const headers = (fake: string, tan: string) => ({
        'content-type': type,
        'cwa-fake': fake,
        ...(upload ? { 'cwa-authorization': tan } : {}),
      });
      requests[`${name} ${type}`] = {
        real: { path, headers: headers('0', goodTan), body: encode(good) },
        fake: { path, headers: headers('1', ''), body: encode(good) },
        refused: { path, headers: headers('0', stranger), body: encode(bad) },
      };
    }
  }
  return requests;
}

function envelope(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

const cases = (): [string, Sent[]][] => [
  ...Object.entries(phoneRequests).map(([name, { real, fake }]): [string, Sent[]] => [
    name,
    [real, fake, real, fake, fake, real],
  ]),
  ...Object.entries(rpcRequests()).map(([name, { real, fake }]): [string, Sent[]] => [
    name,
    [real, fake, real, fake, fake, real],
  ]),
];

test.each(cases())(
  'S row 5, 53: %s, real and fake have the same header names and sizes to the byte',
  async (_name, list) => {
    const http1 = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
    const http2 = await openHttp2({ port: gateway.phonePort, ca: gateway.ca });
    const seen1 = new Set<string>();
    const seen2 = new Set<string>();
    for (const sent of list) {
      const one = await http1.send(sent);
      expect(one.status).toBeLessThan(202);
      seen1.add(JSON.stringify([one.status, one.head.length, one.names, one.body.length]));
      const before = http2.blocks.length;
      const two = await http2.send(sent);
      seen2.add(JSON.stringify([two.status, http2.blocks[before], two.names, two.body.length]));
    }
    expect([...seen1]).toHaveLength(1);
    expect([...seen2]).toHaveLength(1);
    http1.close();
    http2.close();
  },
);

test('every phone answer, refusals included, has a header block of one size over each HTTP version', async () => {
  const http1 = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  const http2 = await openHttp2({ port: gateway.phonePort, ca: gateway.ca });
  const refusals: Sent[] = Object.values(phoneRequests).flatMap(({ real }) => [
    { ...real, headers: { ...real.headers, 'content-type': 'text/plain' } },
    { ...real, body: 'garbage' },
    { ...real, method: 'PUT' },
    { ...real, body: Buffer.alloc(110_000) },
  ]);
  const rpc = Object.values(rpcRequests()).flatMap(({ real, fake, refused }) => [real, fake, refused]);
  const seen1 = new Set<number>();
  const seen2 = new Set<number>();
  for (const sent of [...refusals, ...Object.values(phoneRequests).flatMap(({ real, fake }) => [real, fake]), ...rpc]) {
    const one = await http1.send(sent);
    seen1.add(one.head.length);
    const before = http2.blocks.length;
    const two = await http2.send(sent);
    expect(two.headers['cwa-header-padding']?.length).toBeGreaterThan(20);
    seen2.add(http2.blocks[before] ?? 0);
  }
  expect([...seen1]).toHaveLength(1);
  expect([...seen2]).toEqual([headerBlockSize.http2]);
  http1.close();
  http2.close();
});

test.each(
  Object.entries({ json: 'application/json', protobuf: 'application/proto', 'grpc-web': 'application/grpc-web+proto' }),
)('bodies of %s have one size on every method', async (form, type) => {
  const http2 = await openHttp2({ port: gateway.phonePort, ca: gateway.ca });
  for (const [name, { real, fake, refused }] of Object.entries(rpcRequests())) {
    if (!name.endsWith(` ${type}`)) continue;
    for (const sent of [real, fake]) {
      const got = await http2.send(sent);
      expect([name, got.status, got.body.length]).toEqual([name, 200, bodySize[form as keyof typeof bodySize]]);
    }
    const got = await http2.send(refused);
    // gRPC-web says 200 to a refusal too, so it has the size of the others.
    if (form === 'grpc-web') expect([got.status, got.body.length]).toEqual([200, bodySize['grpc-web']]);
    else expect([400, 403]).toContain(got.status);
  }
  http2.close();
});

test.each([
  ['Connect, binary', createConnectTransport, true],
  ['Connect, JSON', createConnectTransport, false],
  ['gRPC-web, binary', createGrpcWebTransport, true],
  ['gRPC-web, JSON', createGrpcWebTransport, false],
] as const)('an ordinary %s client reads the padded answers and codes', async (_name, transportOf, binary) => {
  const options = {
    baseUrl: `https://localhost:${gateway.phonePort}`,
    httpVersion: '2' as const,
    nodeOptions: { ca: gateway.ca },
    useBinaryFormat: binary,
  };
  const client = createClient(PhoneService, transportOf(options));
  expect(await client.getTestResult({ registrationToken: known })).toMatchObject({
    testResult: 2,
    sc: 1_700_000_000,
    labId: 'l'.repeat(64),
  });
  expect(await client.registerToken({ keyType: KeyType.TELETAN, key: '9A3B578UMG' })).toMatchObject({
    registrationToken: known,
  });
  expect(await client.issueTan({ registrationToken: stranger }, { headers: { 'cwa-fake': '1' } })).toMatchObject({
    tan: expect.stringMatching(/^[0-9a-f-]{36}$/),
  });
  await expect(client.issueTan({ registrationToken: stranger })).rejects.toMatchObject({
    code: 3,
    rawMessage: expect.not.stringContaining('aaaa'),
  });
  const submission = { payload: fromBinary(SubmissionPayloadSchema, payload()) };
  const stored = await client.submitKeys(submission, { headers: { 'cwa-fake': '0', 'cwa-authorization': goodTan } });
  expect(stored.savedCheckIns).toBe(3 * stored.filteredCheckIns);
  expect(await client.submitKeys({}, { headers: { 'cwa-fake': '1' } })).toMatchObject({ filteredCheckIns: 0 });
  await expect(
    client.submitKeys(submission, { headers: { 'cwa-fake': '0', 'cwa-authorization': stranger } }),
  ).rejects.toMatchObject({ code: 7 });
  await expect(client.submitKeys(submission)).rejects.toMatchObject({ code: 3 });
  await expect(client.submitKeysOnBehalf(submission, { headers: { 'cwa-fake': '1' } })).rejects.toMatchObject({
    code: 5,
  });
  await client.submitKeysOnBehalf(submission, { headers: { 'cwa-fake': '0', 'cwa-authorization': goodTan } });
});

test('Connect tells no text of what it could not read', async () => {
  const http1 = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  for (const type of [
    'application/json',
    'application/proto',
    'application/grpc-web+proto',
    'application/grpc-web+json',
  ]) {
    for (const body of ['{"canary":', '{"keyType":"canary"}', 'canary', '']) {
      for (const extra of [
        {},
        { 'content-encoding': 'gzip' },
        { 'connect-timeout-ms': 'canary' },
        { 'connect-protocol-version': 'canary' },
        { 'grpc-timeout': 'canary' },
      ]) {
        const got = await http1.send({
          path: '/cwa.phone.v1.PhoneService/RegisterToken',
          headers: { 'content-type': type, ...extra },
          body,
        });
        expect(got.status).toBeLessThan(502);
        expect((got.head + got.body.toString()).includes('canary')).toBe(false);
      }
    }
  }
  const wrong = await http1.send({
    path: '/cwa.phone.v1.PhoneService/RegisterToken',
    headers: { 'content-type': 'text/plain' },
    body: 'x',
  });
  expect([wrong.status, wrong.body.length]).toEqual([415, 0]);
  http1.close();
});

test('padding members are part of a valid message', async () => {
  const http1 = await openHttp1({ port: gateway.phonePort, ca: gateway.ca });
  const sent = rpcRequests()['GetTestResult application/proto']?.real as Sent;
  const message = fromBinary(GetTestResultResponseSchema, (await http1.send(sent)).body);
  expect(message.responsePadding).toMatch(/^0{50,}$/);
  expect(message.$unknown).toBeUndefined();
  http1.close();
});

test('a planted header that does not fit is seen: the block is no longer of the one size', () => {
  const size = (extra: [string, string][]) =>
    sizedHeaders(emptyAnswer(200, extra), 'Thu, 01 Jan 1970 00:00:00 GMT').reduce(
      (sum, [name, value]) => sum + name.length + value.length + 4,
      17,
    );
  expect(size([])).toBe(headerBlockSize.http1);
  expect(size([['cwa-error-code', 'KEYS_ALREADY_EXIST']])).toBe(headerBlockSize.http1);
  expect(size([['x', 'y'.repeat(600)]])).not.toBe(headerBlockSize.http1);
});

test('the sizes hold on every day and second', () => {
  const answers = [
    emptyAnswer(200, [
      ['cwa-filtered-checkins', '4294967295'],
      ['cwa-saved-checkins', '4294967295'],
    ]),
    emptyAnswer(200, [
      ['cwa-filtered-checkins', '0'],
      ['cwa-saved-checkins', '0'],
    ]),
    emptyAnswer(400),
    emptyAnswer(405, [['allow', 'POST']]),
    emptyAnswer(503, [['retry-after', '60']]),
    { ...emptyAnswer(201, [['content-type', 'application/json']]), body: Buffer.alloc(250) },
    { ...emptyAnswer(200, [['content-type', 'application/grpc-web+proto']]), body: Buffer.alloc(340) },
  ];
  const sizes = new Set<number>();
  for (let second = 0; second < 3.2e7; second += 86_400 * 3 + 3_671) {
    const date = new Date(1.7e12 + second * 1000).toUTCString();
    for (const answer of answers) {
      const headers = sizedHeaders(answer, date);
      sizes.add(
        headers.reduce(
          (sum, [name, value]) => sum + http2Cost(name, value),
          http2Cost(':status', String(answer.status)),
        ),
      );
    }
  }
  expect([...sizes]).toEqual([headerBlockSize.http2]);
});
