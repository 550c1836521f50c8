import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SubmissionPayloadSchema } from '../../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { readBlobStoreConfig } from '../../lib/blob/config.ts';
import { openS3BlobStore } from '../../lib/blob/s3-blob-store.ts';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import { isProbeKey } from '../../lib/exposure/probe-key.ts';
import { trustedKeys } from '../../lib/exposure/signature-list.ts';
import { intakeMetrics } from '../../lib/telemetry/catalog/intake.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { openKeyPackage } from '../../phone/package-check.ts';
import { undiciHttp } from '../../phone/undici-http.ts';
import { deferred } from '../bench/bench.ts';
import type { DatabaseOwner } from '../mesh/databases.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { SpanRecord } from '../observability/otlp-records.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../observability/otlp-receiver.ts';
import { partnerEndpoint, phoneEndpoint } from '../wire/endpoint.ts';
import { answered } from '../wire/exchange.ts';
import { http1Client } from '../wire/http1.ts';
import { aHashedGuid, labReport, registration, resultPoll, tanRequest, tellOf, upload } from '../wire/journeys.ts';
import { untilFlushed } from './flushed.ts';
import { temporaryMesh } from './mesh-home.ts';

/** The prober in a whole mesh (decision 35): it walks every step, and nothing that is anybody's changes by it. */
const start = Date.parse('2026-11-20T10:05:00Z');
const hour = Math.floor(start / 3_600_000);
const day = '2026-11-20';
const settings = {
  PROBER_INTERVAL_SECONDS: '10',
  PROBER_EXPORT_POLL_SECONDS: '1',
  PROBER_EXPORT_DEADLINE_SECONDS: '60',
};
/** One less than a step of every counter, in requests and in keys: a single one more would be seen. */
const [people, keysOfEach] = [14, 10];

const { defer, undo } = deferred();
let mesh: Mesh;
let receiver: OtlpReceiver;
const realKeys: string[] = [];

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  defer(() => receiver.close());
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    TELEMETRY_FLUSH_SECONDS: '1',
    GATEWAY_ANSWER_FLOOR_MS: '50',
  };
  const opened = await temporaryMesh({ env, startAtMs: start });
  defer(() => opened.leave());
  mesh = opened.mesh;
  await mesh.runDistribution();
  await realUploads();
});
afterAll(undo);

async function realUploads(): Promise<void> {
  const [phone, lab] = [http1Client(phoneEndpoint(mesh)), http1Client(partnerEndpoint(mesh))];
  const today = Math.floor(start / 86_400_000) * 144;
  for (let i = 0; i < people; i++) {
    const guid = aHashedGuid();
    answered(await lab.send(labReport([guid], 2)));
    const token = tellOf(answered(await phone.send(registration(guid))), 'registrationToken');
    answered(await phone.send(resultPoll(token)));
    const tan = tellOf(answered(await phone.send(tanRequest(token))), 'tan');
    const keys = Array.from({ length: keysOfEach }, (_, age) => ({
      keyData: randomBytes(16),
      transmissionRiskLevel: 6,
      rollingStartIntervalNumber: today - 144 * (age + 1),
      rollingPeriod: 144,
      daysSinceOnsetOfSymptoms: 1,
    }));
    realKeys.push(...keys.map(({ keyData }) => keyData.toString('hex')));
    const body = toBinary(SubmissionPayloadSchema, create(SubmissionPayloadSchema, { keys, visitedCountries: ['DE'] }));
    expect(answered(await phone.send(upload(tan, body))).status).toBe(200);
    const path = '/version/v1/diagnosis-keys/country/DE/date';
    expect(answered(await phone.send({ method: 'GET', path })).status).toBe(200);
  }
  phone.close();
  lab.close();
}

/** What is told of phones, labs and keys by every process, after a flush. */
async function told(): Promise<Record<string, number>> {
  const names = [
    ...Object.keys(intakeMetrics),
    ...['keys.published', 'keys.excluded', 'keys.waiting', 'packages'].map((name) => `cwa.distribution.${name}`),
  ];
  const tellers = ['gateway', 'submission', 'verification', 'test-result', 'distribution'];
  await untilFlushed(() => {
    const told = receiver.latest('process.uptime').filter(({ service }) => tellers.includes(service));
    return new Map(told.map(({ service, value }) => [service, value]));
  });
  const points = names.flatMap((name) => receiver.latest(name));
  return Object.fromEntries(
    points.map(({ service, name, attributes, value }) => [`${service} ${name} ${JSON.stringify(attributes)}`, value]),
  );
}

async function inDatabase<T>(owner: DatabaseOwner, look: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = openPool({ url: mesh.databaseUrl(owner), poolSize: 1, setting: 'DATABASE_URL' }, silentLog);
  try {
    return await look(pool);
  } finally {
    await pool.close();
  }
}

const rowsOf = (owner: DatabaseOwner, table: string) =>
  inDatabase(owner, async (pool) => {
    const { rows } = await pool.query<{ row: string }>(`select t::text as row from ${table} t order by 1`);
    return rows.map(({ row }) => row);
  });

/** Every object that phones may ask for, with its ETag. */
async function objects(): Promise<{ published: Record<string, string>; probes: string[] }> {
  const store = await openS3BlobStore(readBlobStoreConfig(mesh.objectStore.env));
  try {
    const listed: [string, string][] = [];
    for await (const { key, etag } of store.list('')) listed.push([key, etag]);
    return {
      published: Object.fromEntries(listed.filter(([key]) => !key.startsWith('probe/'))),
      probes: listed.map(([key]) => key).filter((key) => key.startsWith('probe/')),
    };
  } finally {
    store.close();
  }
}

const steps = (step: string, outcome: string): number =>
  receiver
    .latest('cwa.probe.steps')
    .filter(({ attributes }) => attributes['cwa.probe.step'] === step && attributes['cwa.outcome'] === outcome)
    .reduce((sum, { value }) => sum + value, 0);

/** Runs distribution now and again until it holds. */
async function untilRuns(what: string, holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 60; tries++) {
    await mesh.runDistribution();
    if (holds()) return;
    await delay(1_000);
  }
  throw new Error(`not within a minute: ${what}`);
}

const pem = (name: string) => readFileSync(join(mesh.home, 'pki', name), 'utf8');
const trusted = () => trustedKeys({ '262-v1': pem('export-public.pem') });
const secret = () => readFileSync(join(mesh.home, 'secrets', 'probe-key'), 'utf8');
const hexOf = (keyData: Uint8Array | undefined): string => Buffer.from(keyData ?? []).toString('hex');

test('two journeys pass every step; no key, object, row or count of anybody changes', async () => {
  const before = {
    told: await told(),
    keys: await rowsOf('SUBMISSION', 'diagnosis_key'),
    sets: await rowsOf('SUBMISSION', 'country_set'),
    pool: await rowsOf('DISTRIBUTION', 'key_pool'),
    inventory: await rowsOf('DISTRIBUTION', 'published_object'),
    ...(await objects()),
  };
  await mesh.runDistribution();
  const pool = await rowsOf('DISTRIBUTION', 'key_pool');
  expect(pool).toHaveLength(people * keysOfEach);

  await mesh.startProber(settings);
  await untilRuns('two journeys', () => steps('match', 'passed') >= 2);
  await mesh.processes.get('prober')?.stop();

  for (const step of ['report', 'register', 'result', 'tan', 'upload', 'export', 'match', 'index', 'configuration']) {
    expect([step, steps(step, 'passed') >= 2, steps(step, 'failed')]).toEqual([step, true, 0]);
  }
  const probes = (await rowsOf('SUBMISSION', 'probe_key')).length;
  expect(probes).toBeGreaterThanOrEqual(28);
  expect(await told()).toEqual(before.told);
  expect(await rowsOf('SUBMISSION', 'diagnosis_key')).toEqual(before.keys);
  expect(await rowsOf('SUBMISSION', 'country_set')).toEqual(before.sets);
  expect(await rowsOf('DISTRIBUTION', 'key_pool')).toEqual(pool);
  expect(await rowsOf('DISTRIBUTION', 'published_object')).toEqual(before.inventory);
  const after = await objects();
  expect(after.published).toEqual(before.published);
  expect(after.probes).toEqual([`probe/${hour}`]);
});

test('what phones download holds the keys of people and no other', async () => {
  await mesh.advanceTo((hour + 1) * 3_600_000 + 300_000);
  const http = undiciHttp(`https://localhost:${mesh.ports.GATEWAY_PHONE_PORT}`, { ca: pem('ca.crt') });
  for (const region of ['DE', 'EUR']) {
    const path = `/version/v1/diagnosis-keys/country/${region}/date/${day}/hour/10`;
    const { body } = await http({ method: 'GET', path, headers: {} });
    const { keys } = await openKeyPackage(body, trusted());
    expect(keys.map(({ keyData }) => hexOf(keyData))).toEqual([...realKeys].sort());
  }
  expect(await mesh.distributionReport()).toMatchObject({
    keysPublished: people * keysOfEach,
    paddingKeysPublished: 0,
    keysWaiting: 0,
  });
  expect((await http({ method: 'GET', path: `/probe/${hour}`, headers: {} })).status).toBe(404);
  await http.close();
});

test('operators may fetch the archive with their certificate, laboratories may not', async () => {
  const as = async (name: string) => {
    const identity = { ca: pem('ca.crt'), cert: pem(`${name}.crt`), key: pem(`${name}.key`) };
    const http = undiciHttp(`https://localhost:${mesh.ports.GATEWAY_PARTNER_PORT}`, identity);
    const answer = await http({ method: 'GET', path: `/probe/${hour}`, headers: {} });
    await http.close();
    return answer;
  };
  expect((await as('lab')).status).toBe(403);
  const { status, body } = await as('operator');
  expect(status).toBe(200);
  const { keys, region } = await openKeyPackage(body, trusted());
  expect(region).toBe('PROBE');
  expect(keys.length).toBeGreaterThanOrEqual(28);
  expect(keys.every(({ keyData }) => isProbeKey(secret(), keyData ?? new Uint8Array()))).toBe(true);
});

test('a request of the prober is one trace from the edge to the table, and only its requests are traced', async () => {
  const after = ({ spanId, traceId }: SpanRecord): SpanRecord[] =>
    receiver.spans
      .filter((span) => span.traceId === traceId && span.parentSpanId === spanId)
      .flatMap((span) => [span, ...after(span)]);
  const phones = () => receiver.spans.filter(({ name }) => name.startsWith('POST /version/'));
  const uploads = () => phones().filter(({ name }) => name === 'POST /version/v1/diagnosis-keys');
  // Each process sends its spans once in a while.
  await expect.poll(() => uploads().length).toBe(steps('upload', 'passed'));
  await expect
    .poll(() => after(uploads()[0] as SpanRecord).map(({ service, kind, name }) => `${service} ${kind} ${name}`))
    .toEqual(
      expect.arrayContaining([
        'gateway client cwa.submission.v1.SubmissionService/SubmitKeys',
        'submission server cwa.submission.v1.SubmissionService/SubmitKeys',
        'submission client cwa.verification.v1.TanService/ReserveTans',
        'verification server cwa.verification.v1.TanService/ReserveTans',
        'submission client store-uploads',
      ]),
    );
  expect(phones().every(({ attributes }) => attributes['cwa.synthetic'] === true)).toBe(true);
  expect(receiver.spans.filter(({ name }) => name === 'probe journey').length).toBeGreaterThanOrEqual(2);
});

test('a step that does not hold is told as failed, and the next journey passes again', async () => {
  const toldFailure = () =>
    receiver.logs.find(({ event, attributes }) => event === 'probe-step-failed' && attributes['step'] === 'register');
  expect(toldFailure()).toBeUndefined();
  await mesh.processes.get('verification')?.kill();
  await mesh.startProber(settings);
  const { attributes } = await receiver.until(toldFailure, 60_000);
  expect(attributes).toMatchObject({ step: 'register', reason: 'STATUS', status: 500 });
  expect(steps('register', 'failed')).toBeGreaterThanOrEqual(1);
  await mesh.restart('verification');
  const passed = steps('match', 'passed');
  await untilRuns('a journey after the failure', () => steps('match', 'passed') > passed);
});
