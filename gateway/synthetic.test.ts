import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { PROBE_HEADER, signProbeRequest } from '../lib/exposure/probe-request.ts';
import { secureRandom } from '../lib/random/random.ts';
import { type Metrics, silentMetrics } from '../lib/telemetry/metrics.ts';
import { isTraced } from '../lib/telemetry/tracing.ts';
import { systemClock } from '../lib/time/clock.ts';
import type { AnswerKind, Schedule } from './answer-schedule.ts';
import { openHttp1, type Sent } from './fixtures/http1.ts';
import { phoneRequests } from './fixtures/phone-requests.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { gatheredMesh, syntheticMesh } from './mesh.ts';
import { syntheticRequests } from './synthetic-requests.ts';

/** Requests of the prober at the edge (decision 35), and that nobody else's come near a trace (decision 34). */
const secret = 'a secret of the prober and of the gateway';
const spans = new InMemorySpanExporter();
const counted: string[] = [];
const metrics: Metrics = {
  ...silentMetrics,
  count: (name, attributes) => {
    if (name !== 'cwa.gateway.requests') return;
    const { 'http.route': route, 'cwa.outcome': outcome } = attributes as Record<string, string>;
    counted.push(`${route} ${outcome}`);
  },
};

/** What the services were asked: how many items, in a trace or not, marked or not. */
interface Seen {
  readonly what: string;
  readonly items: number;
  readonly traced: boolean;
  readonly synthetic: boolean;
}
const seen: Seen[] = [];
/** Calls wait for it. */
let hold: Promise<void> = Promise.resolve();

const note = async (what: string, items: number, call: { synthetic?: boolean } | undefined): Promise<void> => {
  seen.push({ what, items, traced: isTraced(), synthetic: call?.synthetic === true });
  await hold;
};
const uploads = {
  submitKeys: async ({ uploads: sent }: { uploads: unknown[] }, call?: { synthetic?: boolean }) => {
    await note('uploads', sent.length, call);
    return {
      outcomes: sent.map(() => ({ status: 1 as const, rule: 0 as const, filteredCheckIns: 0, savedCheckIns: 0 })),
    };
  },
};
/** What the schedule was told of answers: only accepted ones teach it. */
const kinds: AnswerKind[] = [];
const schedule: Schedule = {
  lateShare: undefined,
  close: () => {},
  arrive: () => ({
    bodyEnded: () => {},
    abandon: () => {},
    ready: (kind, send) => {
      kinds.push(kind);
      send();
    },
  }),
};
const token = '1ea6ce8a-9740-41ea-bb37-0242ac130002';
const tests = {
  registerTokens: async ({ registrations }: { registrations: unknown[] }, call?: { synthetic?: boolean }) => {
    await note('registrations', registrations.length, call);
    return { outcomes: registrations.map(() => ({ outcome: { $case: 'registrationToken' as const, value: token } })) };
  },
  getTestResults: async (
    { registrationTokens: sent }: { registrationTokens: unknown[] },
    call?: { synthetic?: boolean },
  ) => {
    await note('results', sent.length, call);
    const value = { code: 2, sampleCollectedAt: 1, labId: undefined };
    return { outcomes: sent.map(() => ({ outcome: { $case: 'testResult' as const, value } })) };
  },
  issueTans: async (
    { registrationTokens: sent }: { registrationTokens: unknown[] },
    call?: { synthetic?: boolean },
  ) => {
    await note('tans', sent.length, call);
    return { outcomes: sent.map(() => ({ outcome: { $case: 'tan' as const, value: token } })) };
  },
};

let gateway: Awaited<ReturnType<typeof startGateway>>;
let connections: Awaited<ReturnType<typeof openHttp1>>[] = [];
const connect = async (port = gateway.phonePort, name?: string) => {
  const connection = await openHttp1({ port, ca: gateway.ca, ...(name ? gateway.identity(name) : {}) });
  connections.push(connection);
  return connection;
};

beforeAll(async () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }));
  gateway = await startGateway({
    clock: systemClock,
    metrics,
    schedule,
    mesh: gatheredMesh(uploads, tests, { clock: systemClock, windowMs: 3, maxItems: 200 }),
    synthetic: { requests: syntheticRequests(secret, systemClock), mesh: syntheticMesh(uploads, tests) },
  });
  const partner = (name: string, routes: string[]) => ({
    name,
    fingerprint: new X509Certificate(gateway.identity(name).cert).fingerprint256,
    labIds: ['*'],
    routes,
  });
  gateway.writePartners([partner('lab', ['lab', 'probe']), partner('small', ['*'])]);
  await vi.waitFor(async () => expect((await get('lab', '/probe/1')).status).toBe(404), { timeout: 20_000 });
});
afterAll(async () => {
  for (const { close } of connections) close();
  connections = [];
  await gateway.close();
  trace.disable();
  context.disable();
});
beforeEach(() => {
  spans.reset();
  counted.length = 0;
  seen.length = 0;
  kinds.length = 0;
  hold = Promise.resolve();
});

function asProber(sent: Sent): Sent {
  const mark = { seconds: Math.floor(systemClock.nowMs() / 1_000), nonce: secureRandom.bytes(16).toString('hex') };
  return { ...sent, headers: { ...sent.headers, [PROBE_HEADER]: signProbeRequest(secret, sent.path, mark) } };
}

async function get(name: string, path: string, method = 'GET') {
  return (await connect(gateway.labPort, name)).send({ method, path });
}

test.each(Object.entries(phoneRequests))(
  '%s of the prober: a call of its own, marked and traced; counted nowhere; the answer is of the size of any other',
  async (_name, { real, fake, status }) => {
    const connection = await connect();
    const ordinary = await connection.send(real);
    expect(seen).toMatchObject([{ items: 1, traced: false, synthetic: false }]);
    expect(counted).toHaveLength(1);
    expect(spans.getFinishedSpans()).toEqual([]);

    const probe = await connection.send(asProber(real));
    expect(probe.status).toBe(status);
    expect(seen[1]).toEqual({ ...seen[0], traced: true, synthetic: true });
    expect(counted).toHaveLength(1);
    expect([probe.head.length, probe.body.length]).toEqual([ordinary.head.length, ordinary.body.length]);
    expect(spans.getFinishedSpans().map(({ name, attributes }) => ({ name, attributes }))).toEqual([
      {
        name: `POST ${real.path}`,
        attributes: {
          'http.request.method': 'POST',
          'http.route': real.path,
          'http.response.status_code': status,
          'cwa.synthetic': true,
        },
      },
    ]);

    await connection.send(asProber(fake));
    expect(seen).toHaveLength(2);
    expect(counted).toHaveLength(1);
    expect(kinds, 'fakes shall look like those of people').toEqual(['accepted', 'refused', 'fake']);
  },
);

test('a header that is not good makes an ordinary request: gathered, counted, never traced', async () => {
  const connection = await connect();
  const { real } = phoneRequests['tan'] as (typeof phoneRequests)[string];
  const used = asProber(real);
  await connection.send(used);
  const other = asProber({ ...real, path: '/version/v1/testresult' }).headers?.[PROBE_HEADER] ?? '';
  spans.reset();
  for (const header of [used.headers?.[PROBE_HEADER] ?? '', other, 'x', '']) {
    expect((await connection.send({ ...real, headers: { ...real.headers, [PROBE_HEADER]: header } })).status).toBe(201);
  }
  expect(seen.slice(1).every(({ traced, synthetic }) => !traced && !synthetic)).toBe(true);
  expect(counted).toHaveLength(4);
  expect(spans.getFinishedSpans()).toEqual([]);
});

test("while the prober's and a lab's requests are in flight, phones' calls are in no trace", async () => {
  const { real } = phoneRequests['tan'] as (typeof phoneRequests)[string];
  let release = (): void => {};
  hold = new Promise((done) => (release = done));
  const [prober, lab, ...phones] = await Promise.all([
    connect(),
    connect(gateway.labPort, 'lab'),
    ...Array.from({ length: 6 }, () => connect()),
  ]);
  const delivery = {
    path: '/api/v1/lab/results',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ testResults: [{ id: 'a'.repeat(64), result: 2 }] }),
  };
  const answers = [prober.send(asProber(real)), lab.send(delivery), ...phones.map((phone) => phone.send(real))];
  await expect.poll(() => seen.reduce((sum, { items }) => sum + items, 0)).toBe(7);
  release();
  await Promise.all(answers);
  const ordinary = seen.filter(({ synthetic }) => !synthetic);
  expect(ordinary.reduce((sum, { items }) => sum + items, 0)).toBe(6);
  expect(ordinary.some(({ traced }) => traced)).toBe(false);
  expect(seen.filter(({ traced }) => traced)).toEqual([{ what: 'tans', items: 1, traced: true, synthetic: true }]);
});

test('a download and a delivery of the prober are counted nowhere, and the delivery says so to the mesh', async () => {
  const connection = await connect();
  await connection.send(asProber({ method: 'GET', path: '/version/v1/nothing' }));
  expect(counted).toEqual([]);
  await connection.send({ method: 'GET', path: '/version/v1/nothing' });
  expect(counted).toEqual(['download refused']);
  const lab = await connect(gateway.labPort, 'lab');
  const delivery: Sent = {
    path: '/api/v1/lab/results',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ testResults: [{ id: 'b'.repeat(64), result: 2 }] }),
  };
  expect((await lab.send(asProber(delivery))).status).toBe(204);
  expect(counted).toHaveLength(1);
  expect((await lab.send(delivery)).status).toBe(204);
  expect(counted).toHaveLength(2);
  // Whoever is no prober by its certificate delivers under its own name, whatever secrets it may have.
  const small = await connect(gateway.labPort, 'small');
  expect((await small.send(asProber(delivery))).status).toBe(204);
  expect(counted).toHaveLength(3);
});

test("the prober's archive is served to partners whose list names the route, and to nobody else", async () => {
  await gateway.store.put('probe/472222', Buffer.from('archive'), {
    contentType: 'application/zip',
    cacheControl: 'private',
    metadata: {},
  });
  const got = await get('lab', '/probe/472222');
  expect([got.status, got.headers['content-type'], got.body.toString()]).toEqual([200, 'application/zip', 'archive']);
  for (const name of ['small', 'stranger']) expect((await get(name, '/probe/472222')).status).toBe(403);
  expect((await get('lab', '/probe/472222', 'POST')).status).toBe(405);
  for (const path of [
    '/probe/472223',
    '/probe/',
    '/probe/version',
    '/probe/472222/x',
    '/probe/../version',
    '/probe/472222?x',
  ]) {
    expect((await get('lab', path)).status).toBe(404);
  }
  expect(counted).toEqual([]);
});

test("the phones' port never serves it, however the path is written", async () => {
  await gateway.store.put('probe/472222', Buffer.from('archive'), {
    contentType: 'application/zip',
    cacheControl: 'private',
    metadata: {},
  });
  const paths = [
    '/probe/472222',
    '//probe/472222',
    '/probe//472222',
    '/%70robe/472222',
    '/probe%2f472222',
    '/PROBE/472222',
    '/version/../probe/472222',
    '/version/v1/../../probe/472222',
    '/version/%2e%2e/probe/472222',
    '/version/..%2fprobe/472222',
    '/version//../probe/472222',
    '/version/v1/;/../../probe/472222',
    '/version\\..\\probe\\472222',
    'https://localhost/probe/472222',
    '/./probe/472222',
    '/version/probe/472222',
  ];
  for (const path of paths) {
    const { status, body } = await (await connect()).send({ method: 'GET', path });
    expect([path, status, body.length]).toEqual([path, 404, 0]);
  }
});
