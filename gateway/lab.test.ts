import { X509Certificate } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LabService, ResultStatus, TestFamily } from '../gen/edge/cwa/lab/v1/lab_pb.ts';
import { StoreResultStatus } from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import { systemClock } from '../lib/time/clock.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { openHttp2 } from './fixtures/http2.ts';

let gateway: Awaited<ReturnType<typeof startGateway>>;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway.close());

const as = (name: string) => openHttp1({ port: gateway.labPort, ca: gateway.ca, ...gateway.identity(name) });
const id = (n: number) => n.toString(16).padStart(64, 'a');
const report = (body: unknown, route = 'lab', headers: Record<string, string> = {}): Sent => ({
  path: `/api/v1/${route}/results`,
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof body === 'string' ? body : JSON.stringify(body),
});

test('lists of every family are stored under the certificate that brought them, 204', async () => {
  const lab = await as('lab');
  const http2 = await openHttp2({ port: gateway.labPort, ca: gateway.ca, ...gateway.identity('lab') });
  for (const [route, family, result] of [
    ['lab', 1, 2],
    ['quicktest', 2, 7],
    ['pocnat', 3, 12],
  ] as const) {
    const sent = report(
      {
        testResults: [
          { id: id(1), result, sc: 1_700_000_000 },
          { id: id(2), result, sc: null },
        ],
        labId: 'any',
      },
      route,
    );
    const got = await lab.send(sent);
    expect([got.status, got.body.length]).toEqual([204, 0]);
    expect((await http2.send(sent)).status).toBe(204);
    const stored = gateway.asked.stored.at(-1);
    expect(stored).toMatchObject({ family, labId: 'any', allOrNothing: true });
    expect(stored?.results).toEqual([
      { id: id(1), result, sampleCollectedAt: 1_700_000_000n },
      { id: id(2), result },
    ]);
    expect(Buffer.from(stored?.submitter ?? []).toString('hex')).toBe(
      gateway.partnerList[0]?.fingerprint.replaceAll(':', '').toLowerCase(),
    );
  }
  expect((await lab.send(report({ testResults: [{ id: id(1), result: 1 }] }))).status).toBe(204);
  expect(gateway.asked.stored.at(-1)).not.toHaveProperty('labId', expect.anything());
  lab.close();
  http2.close();
});

test('S row 64: a bad item in a list refuses it whole, 400 and empty; so do lists of the wrong shape (S row 60)', async () => {
  const lab = await as('lab');
  expect(
    (
      await lab.send(
        report({
          testResults: [
            { id: id(1), result: 1 },
            { id: id(2), result: 99 },
          ],
        }),
      )
    ).status,
  ).toBe(400);
  const before = gateway.asked.stored.length;
  const bad = [
    {},
    [],
    'null',
    '{',
    '',
    { testResults: {} },
    { testResults: [] },
    { testResults: [{ id: id(1), result: 1 }], labId: 5 },
    { test_results: [{ id: id(1), result: 1 }] },
  ];
  for (const body of bad) {
    const got = await lab.send(report(body));
    expect([body, got.status, got.body.length]).toEqual([body, 400, 0]);
  }
  expect(gateway.asked.stored.length).toBe(before);
  // Items that have the wrong type are told in the receipts.
  const mistyped = [
    { testResults: [null] },
    { testResults: [{ id: 1, result: 1 }] },
    { testResults: [{ id: id(1) }] },
    { testResults: [{ id: id(1), result: '1' }] },
    { testResults: [{ id: id(1), result: 1.5 }] },
    { testResults: [{ id: id(1), result: 1e10 }] },
    { testResults: [{ id: id(1), result: 1, sc: 'x' }] },
    { testResults: [{ id: id(1), result: 1, sc: 1.5 }] },
    { testResults: [{ id: id(1), result: 1, sc: 1e300 }] },
  ];
  for (const body of mistyped) {
    const got = await lab.send(report(body));
    expect([body, got.status, got.body.length]).toEqual([body, 400, 0]);
  }
  expect(gateway.asked.stored.length).toBe(before + mistyped.length);
  expect(gateway.asked.stored.slice(before).every(({ allOrNothing }) => allOrNothing)).toBe(true);
  lab.close();
});

test('decision 21: at most 10,000 items and 4 MiB, else 413', async () => {
  const lab = await as('lab');
  const list = (n: number) => ({ testResults: Array.from({ length: n }, (_, i) => ({ id: id(i), result: 1 })) });
  expect((await lab.send(report(list(10_000)))).status).toBe(204);
  expect((await lab.send(report(list(10_001)))).status).toBe(413);
  expect(
    (await lab.send({ ...report(`${JSON.stringify(list(1))}${' '.repeat(4 * 1024 * 1024)}`), chunked: true })).status,
  ).toBe(413);
  expect((await lab.send(report(list(1)))).status).toBe(204);
  lab.close();
});

test('labId must be one of those listed for the certificate; routes likewise', async () => {
  const small = await as('small');
  const results = [{ id: id(1), result: 7 }];
  expect((await small.send(report({ testResults: results, labId: 'lab-1' }, 'quicktest'))).status).toBe(204);
  expect((await small.send(report({ testResults: results }, 'quicktest'))).status).toBe(204);
  expect((await small.send(report({ testResults: results, labId: 'lab-2' }, 'quicktest'))).status).toBe(400);
  expect((await small.send(report({ testResults: results, labId: 'x'.repeat(65) }, 'quicktest'))).status).toBe(400);
  expect((await small.send(report({ testResults: results, labId: 'lab-1' }, 'lab'))).status).toBe(403);
  expect((await small.send(report({ testResults: results, labId: 'lab-1' }, 'pocnat'))).status).toBe(403);
  small.close();
});

test('no certificate fails the handshake, an unlisted one gets 403 whatever it asks', async () => {
  await expect(
    openHttp1({ port: gateway.labPort, ca: gateway.ca }).then(async (client) =>
      client.send({ method: 'GET', path: '/' }),
    ),
  ).rejects.toThrow();
  const stranger = await as('stranger');
  for (const sent of [
    report({ testResults: [{ id: id(1), result: 1 }] }),
    { method: 'GET', path: '/nothing' },
    { path: '/api/v1/app/result' },
  ]) {
    const got = await stranger.send(sent);
    expect([got.status, got.body.length]).toEqual([403, 0]);
  }
  stranger.close();
});

test('look-ups answer the raw code and labId; app/result and unknown paths are 404, wrong verbs 405, wrong types 415', async () => {
  const lab = await as('lab');
  for (const route of ['quicktest', 'pocnat']) {
    const got = await lab.send({
      path: `/api/v1/${route}/result`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ id: id(1), sc: 5 }),
    });
    expect([got.status, got.headers['content-type'], JSON.parse(got.body.toString())]).toEqual([
      200,
      'application/json',
      { testResult: 7, labId: 'lab-1' },
    ]);
    const bad = await lab.send({
      path: `/api/v1/${route}/result`,
      headers: { 'content-type': 'application/json' },
      body: '{"id":"x"}',
    });
    expect([bad.status, bad.body.length]).toEqual([400, 0]);
  }
  for (const path of [
    '/api/v1/app/result',
    '/api/v1/lab/result',
    '/version/v1/tan',
    '/api/tan/verify',
    '/',
    '/version',
    '/%zz',
  ]) {
    const got = await lab.send({ path, headers: { 'content-type': 'application/json' }, body: '{}' });
    expect([path, got.status, got.body.length]).toEqual([path, 404, 0]);
  }
  expect((await lab.send({ method: 'GET', path: '/api/v1/lab/results' })).status).toBe(405);
  expect((await lab.send(report('{}', 'lab', { 'content-type': 'text/plain' }))).status).toBe(415);
  lab.close();
});

test('the typed API answers row by row and stores the good ones', async () => {
  const transport = createConnectTransport({
    baseUrl: `https://localhost:${gateway.labPort}`,
    httpVersion: '2',
    nodeOptions: { ca: gateway.ca, ...gateway.identity('small') },
  });
  const client = createClient(LabService, transport);
  const results = [
    { id: id(1), result: 7 },
    { id: id(2), result: 99 },
  ];
  const { receipts } = await client.reportResults({ family: TestFamily.QUICK_TEST, labId: 'lab-1', results });
  expect(receipts.map(({ status }) => status)).toEqual([ResultStatus.STORED, ResultStatus.INVALID_RESULT]);
  expect(gateway.asked.stored.at(-1)).toMatchObject({ allOrNothing: false });
  expect(await client.lookUpResult({ family: TestFamily.QUICK_TEST, id: id(1) })).toMatchObject({
    testResult: 7,
    labId: 'lab-1',
  });
  await expect(client.reportResults({ family: TestFamily.PCR, results })).rejects.toMatchObject({ code: 7 });
  const other = await client.reportResults({ family: TestFamily.QUICK_TEST, labId: 'other', results });
  const invalid = ResultStatus.INVALID_LAB_ID;
  expect(other.receipts.map(({ status }) => status)).toEqual([invalid, invalid]);
  expect(gateway.asked.stored.at(-1)).toMatchObject({ labIdRefused: true });
  expect(gateway.asked.stored.at(-1)?.labId).toBeUndefined();
  await expect(client.reportResults({ results })).rejects.toMatchObject({ code: 3 });
});

test('receipts are told to the certificate that delivered, for the families it may use', async () => {
  const transport = createConnectTransport({
    baseUrl: `https://localhost:${gateway.labPort}`,
    httpVersion: '2',
    nodeOptions: { ca: gateway.ca, ...gateway.identity('small') },
  });
  const client = createClient(LabService, transport);
  const { histories } = await client.getReceipts({ family: TestFamily.QUICK_TEST, ids: [id(1), id(2)] });
  expect(histories.map(({ receipts }) => receipts.map(({ status, deliveryHour }) => [status, deliveryHour]))).toEqual([
    [[ResultStatus.LIST_REFUSED, 472_222]],
    [],
  ]);
  const asked = gateway.asked.receipts.at(-1);
  expect(Buffer.from(asked?.submitter ?? []).toString('hex')).toBe(
    gateway.partnerList[1]?.fingerprint.replaceAll(':', '').toLowerCase(),
  );
  await expect(client.getReceipts({ family: TestFamily.PCR, ids: [id(1)] })).rejects.toMatchObject({ code: 7 });
  const many = Array.from({ length: 10_001 }, (_, i) => id(i));
  await expect(client.getReceipts({ family: TestFamily.QUICK_TEST, ids: many })).rejects.toMatchObject({ code: 8 });
});

test('who may only fetch what the prober left is refused on every path of the labs, also where the message says which', async () => {
  const fingerprint = new X509Certificate(gateway.identity('stranger').cert).fingerprint256;
  gateway.writePartners([...gateway.partnerList, { name: 'operator', fingerprint, labIds: [], routes: ['probe'] }]);
  const operator = await as('stranger');
  const connect = { path: '/cwa.lab.v1.LabService/ReportResults', headers: { 'content-type': 'application/json' } };
  // Listed from the next look at the file on; before that the same answer has another reason.
  await systemClock.sleep(200);
  for (const sent of [report({ testResults: [{ id: id(1), result: 1 }] }), { ...connect, body: '{}' }]) {
    const got = await operator.send(sent);
    expect([got.status, got.body.length]).toEqual([403, 0]);
  }
  operator.close();
  gateway.writePartners(gateway.partnerList);
});

test('the partners file is read again when it changes; a broken one changes nothing', async () => {
  const stranger = await as('stranger');
  const sent = report({ testResults: [{ id: id(1), result: 1 }] });
  const until = (status: number) => expect.poll(async () => (await stranger.send(sent)).status).toBe(status);
  const fingerprint = new X509Certificate(gateway.identity('stranger').cert).fingerprint256;
  gateway.writePartners([...gateway.partnerList, { name: 'stranger', fingerprint, labIds: ['*'], routes: ['*'] }]);
  await until(204);
  for (const broken of ['[{', [...gateway.partnerList, gateway.partnerList[0]]]) {
    gateway.writePartners(broken);
    await new Promise((done) => setTimeout(done, 150));
    await until(204);
  }
  gateway.writePartners(gateway.partnerList);
  await until(403);
  stranger.close();
});

test('above the limit of requests in hand a partner gets 503 with Retry-After, and is served again after it', async () => {
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const busy = await startGateway({
    env: { GATEWAY_MAX_PARTNER_REQUESTS: '1' },
    labMesh: {
      ...gateway.deps.labMesh,
      storeResults: async ({ results }) => {
        asked.resolve();
        await held.promise;
        return { outcomes: results.map(() => StoreResultStatus.STORE_RESULT_STATUS_STORED) };
      },
    },
  });
  const connect = () => openHttp1({ port: busy.labPort, ca: busy.ca, ...busy.identity('lab') });
  const [one, two] = [await connect(), await connect()];
  const sent = report({ testResults: [{ id: id(1), result: 1 }] });
  const first = one.send(sent);
  await asked.promise;
  const shed = await two.send(sent);
  expect([shed.status, shed.headers['retry-after'], shed.body.length]).toEqual([503, '60', 0]);
  held.resolve();
  expect((await first).status).toBe(204);
  expect((await two.send(sent)).status).toBe(204);
  for (const client of [one, two]) client.close();
  await busy.close();
});
