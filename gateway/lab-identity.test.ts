import { createHash, X509Certificate } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { LabService, ResultStatus, TestFamily } from '../gen/edge/cwa/lab/v1/lab_pb.ts';
import { jsonLog } from '../lib/telemetry/log.ts';
import { systemClock } from '../lib/time/clock.ts';
import { openHttp1 } from './fixtures/http1.ts';
import { startLabMesh } from './fixtures/start-lab-mesh.ts';

let gateway: Awaited<ReturnType<typeof startLabMesh>>;
const lines: string[] = [];
const closing: (() => void)[] = [];

beforeAll(async () => {
  const log = jsonLog(
    'test',
    () => systemClock.now(),
    (line) => lines.push(line),
    'debug',
  );
  gateway = await startLabMesh(log);
  await setPartners(partners());
});
afterAll(async () => {
  for (const close of closing) close();
  await gateway?.close();
});
beforeEach(() => gateway.database.pool.query('delete from test_result'));

const fingerprint = (name: string) => new X509Certificate(gateway.identity(name).cert).fingerprint256;
const partners = (labIdsOfA: string[] = ['lab-a']) => [
  { name: 'lab A', fingerprint: fingerprint('lab'), labIds: labIdsOfA, routes: ['lab', 'quicktest'] },
  { name: 'lab B', fingerprint: fingerprint('small'), labIds: ['lab-b'], routes: ['lab'] },
];
const [A, B] = ['lab', 'small'] as const;

/** Returns when the gateway has read them. */
async function setPartners(list: unknown[]): Promise<void> {
  const reloads = () => lines.filter((line) => line.includes('partners-reloaded')).length;
  const before = reloads();
  gateway.writePartners(list);
  await vi.waitFor(() => expect(reloads()).toBe(before + 1), { interval: 20, timeout: 20_000 });
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const canaries = new Set<string>();
const anId = (name: string) => {
  const id = sha256(`identity ${name}`);
  canaries.add(id);
  return id;
};

const connections = new Map<string, ReturnType<typeof openHttp1>>();
async function rest(name: string, body: unknown, path = 'lab/results') {
  let connection = connections.get(name);
  if (connection === undefined) {
    connection = openHttp1({ port: gateway.labPort, ca: gateway.ca, ...gateway.identity(name) });
    connections.set(name, connection);
    const { close } = await connection;
    closing.push(close);
  }
  const headers = { 'content-type': 'application/json' };
  const got = await (await connection).send({ path: `/api/v1/${path}`, headers, body: JSON.stringify(body) });
  if (got.status !== 200) expect(got.body.length, 'refusals are empty (decision 11)').toBe(0);
  return got.status;
}

function typed(name: string) {
  const nodeOptions = { ca: gateway.ca, ...gateway.identity(name) };
  const baseUrl = `https://localhost:${gateway.labPort}`;
  return createClient(LabService, createConnectTransport({ baseUrl, httpVersion: '2', nodeOptions }));
}

const statusNames: ReadonlyMap<ResultStatus, string> = new Map(
  Object.entries(ResultStatus).map(([name, status]) => [status, name]),
);

const told = async (name: string, ids: string[], family = TestFamily.PCR) => {
  const { histories } = await typed(name).getReceipts({ family, ids });
  return histories.map(({ receipts }) => receipts.map(({ status }) => statusNames.get(status)));
};

async function stored() {
  const { rows } = await gateway.database.pool.query<{
    id: string;
    labId: string | null;
    submitter: string;
    result: number;
  }>(`select result_id as id, lab_id as "labId", encode(submitter, 'hex') as submitter, result from test_result`);
  return new Map(rows.map(({ id, ...row }) => [id, row]));
}
const submitterOf = (name: string) => fingerprint(name).replaceAll(':', '').toLowerCase();

test('decision 21: no partner writes as another: all pairs of certificate and labId, REST and typed', async () => {
  const labIds = ['lab-a', 'lab-b', 'lab-c', '*', '', 'LAB-A', 'lab-a ', 'x'.repeat(65), undefined];
  const own: Record<string, string> = { [A]: 'lab-a', [B]: 'lab-b' };
  let refused = 0;
  for (const name of [A, B]) {
    for (const labId of labIds) {
      const good = labId === undefined || labId === own[name];
      const [one, two] = [anId(`rest ${name} ${labId}`), anId(`typed ${name} ${labId}`)];
      const named = labId === undefined ? {} : { labId };
      expect(await rest(name, { testResults: [{ id: one, result: 1 }], ...named })).toBe(good ? 204 : 400);
      const results = [{ id: two, result: 2 }];
      const { receipts } = await typed(name).reportResults({ family: TestFamily.PCR, results, ...named });
      expect(receipts[0]?.status).toBe(good ? ResultStatus.STORED : ResultStatus.INVALID_LAB_ID);
      expect(await told(name, [one, two])).toEqual(
        Array.from({ length: 2 }, () => [good ? 'STORED' : 'INVALID_LAB_ID']),
      );
      const rows = await stored();
      for (const [id, result] of [
        [one, 1],
        [two, 2],
      ] as const) {
        const row = { labId: labId ?? null, submitter: submitterOf(name), result };
        expect(rows.get(id)).toEqual(good ? row : undefined);
      }
      if (!good) refused++;
    }
  }
  expect(refused).toBe(2 * 7);
});

test('no partner reads receipts of another, though it knows the ids', async () => {
  const [shared, ofA] = [anId('shared'), anId('of A')];
  expect(await rest(A, { testResults: [shared, ofA].map((id) => ({ id, result: 1 })), labId: 'lab-a' })).toBe(204);
  expect(await told(B, [shared, ofA])).toEqual([[], []]);
  expect(await rest(B, { testResults: [{ id: shared, result: 0 }], labId: 'lab-b' })).toBe(400);
  expect(await told(B, [shared, ofA])).toEqual([['INVALID_RESULT'], []]);
  expect(await told(A, [shared, ofA])).toEqual([['STORED'], ['STORED']]);
});

test('an unlisted certificate gets 403, and so does a listed one on a route that is not listed for it', async () => {
  const list = { testResults: [{ id: anId('stranger'), result: 6 }] };
  const denied = { code: 7 };
  for (const path of ['lab/results', 'quicktest/results', 'pocnat/results']) {
    expect(await rest('stranger', list, path)).toBe(403);
  }
  await expect(typed('stranger').reportResults({ family: 1, results: list.testResults })).rejects.toMatchObject(denied);
  await expect(typed('stranger').getReceipts({ family: 1, ids: [anId('stranger')] })).rejects.toMatchObject(denied);
  expect(await rest(A, list, 'pocnat/results')).toBe(403);
  expect(await rest(B, list, 'quicktest/results')).toBe(403);
  for (const family of [TestFamily.QUICK_TEST, TestFamily.POC_NAT]) {
    await expect(typed(B).reportResults({ family, results: list.testResults })).rejects.toMatchObject(denied);
    await expect(typed(B).getReceipts({ family, ids: [anId('stranger')] })).rejects.toMatchObject(denied);
    await expect(typed(B).lookUpResult({ family, id: anId('stranger') })).rejects.toMatchObject(denied);
  }
  expect((await stored()).size).toBe(0);
});

test('a changed partners file holds from the next request, on connections that are open too', async () => {
  const body = (labId: string) => ({ testResults: [{ id: anId('reload'), result: 1 }], labId });
  expect(await rest(A, body('lab-c'))).toBe(400);
  expect(await rest(B, body('lab-b'))).toBe(204);
  await setPartners(partners(['lab-a', 'lab-c']));
  expect(await rest(A, body('lab-c'))).toBe(204);
  await setPartners(partners(['*']).slice(0, 1));
  expect(await rest(A, body('anything'))).toBe(204);
  expect(await rest(B, body('lab-b'))).toBe(403);
  await setPartners(partners());
  expect(await rest(A, body('anything'))).toBe(400);
  expect(await rest(B, body('lab-b'))).toBe(204);
});

test('S row 60: PCR 0, 4, 10 are 400; quicktest 4, 10 are 400; what labs may deliver is 204, over real TLS', async () => {
  for (const [path, codes] of [
    ['lab/results', [1, 2, 3]],
    ['quicktest/results', [5, 6, 7, 8, 9]],
  ] as const) {
    for (let result = -1; result <= 15; result++) {
      const testResults = [{ id: anId(`${path} ${result}`), result }];
      expect([path, result, await rest(A, { testResults }, path)]).toEqual([
        path,
        result,
        (codes as readonly number[]).includes(result) ? 204 : 400,
      ]);
    }
  }
});

test('S row 64: sc in ms, labId of 65 characters, bad item in a list: 400, nothing stored, and the receipts say why', async () => {
  const [good, bad] = [anId('good'), anId('bad')];
  const list = (item: unknown, more = {}) => ({ testResults: [{ id: good, result: 1 }, item], ...more });
  const cases: [unknown, string][] = [
    [list({ id: bad, result: 1, sc: systemClock.nowMs() }), 'INVALID_SAMPLE_TIME'],
    [list({ id: bad, result: 1, sc: 'yesterday' }), 'INVALID_SAMPLE_TIME'],
    [list({ id: bad, result: 9 }), 'INVALID_RESULT'],
    [list({ id: bad, result: 'positive' }), 'INVALID_RESULT'],
    [list({ id: bad }), 'INVALID_RESULT'],
    [list({ id: bad, result: 1 }, { labId: 'x'.repeat(65) }), 'INVALID_LAB_ID'],
  ];
  for (const [body, reason] of cases) {
    expect(await rest(A, body)).toBe(400);
    expect((await told(A, [bad]))[0]).toContain(reason);
  }
  expect((await told(A, [good]))[0]).toEqual(['INVALID_LAB_ID', 'LIST_REFUSED']);
  const guid = '1ea6ce8a-9740-41ea-bb37-0242ac130002';
  canaries.add(guid).add(sha256(guid));
  expect(await rest(A, list({ id: guid, result: 1 }))).toBe(400);
  expect(await told(A, [guid, sha256(guid)])).toEqual([['INVALID_ID'], []]);
  expect((await stored()).size).toBe(0);
});

test('S row 62: an update before redeem changes the result, after redeem it is ignored, 204 both', async () => {
  const id = anId('redeem');
  const send = (result: number) => rest(A, { testResults: [{ id, result }] });
  expect([await send(2), await send(1)]).toEqual([204, 204]);
  expect((await stored()).get(id)?.result).toBe(1);
  await gateway.database.pool.query('update test_result set result = 4');
  expect(await send(2)).toBe(204);
  expect((await stored()).get(id)?.result).toBe(4);
});

test('10,000 results in a list, again, and their receipts', async () => {
  const ids = Array.from({ length: 10_000 }, (_, i) => sha256(`many ${i}`));
  const list = { testResults: ids.map((id) => ({ id, result: 1, sc: Math.floor(systemClock.nowMs() / 1_000) })) };
  expect([await rest(A, list), await rest(A, list)]).toEqual([204, 204]);
  expect((await stored()).size).toBe(10_000);
  const receipts = await told(A, ids);
  expect(receipts.filter((statuses) => statuses.includes('STORED') && statuses.includes('UNCHANGED'))).toHaveLength(
    10_000,
  );
  expect(await rest(A, { testResults: [...list.testResults, list.testResults[0]] })).toBe(413);
}, 60_000);

test('S row 69: logs of gateway and test-result hold no id, labId or certificate of all this', () => {
  const printed = lines.join('\n');
  expect(printed).toContain('partners-reloaded');
  expect(canaries.size).toBeGreaterThan(50);
  const secrets = [...canaries, ...canaries.values().map(sha256), 'lab-a', 'lab-b', submitterOf(A), submitterOf(B)];
  expect(secrets.filter((secret) => printed.includes(secret))).toEqual([]);
});
