import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  DiagnosisKeyServiceService,
  SubmissionServiceService,
  UploadStatus,
} from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { freePort } from '../../lib/process/free-port.ts';
import { type Channel, clientOf, openChannel } from '../../lib/rpc/client.ts';
import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import { bind } from '../../lib/rpc/server.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { type TestPki, testPki } from '../../lib/testing/pki.ts';
import { serve, type TestServer } from '../../lib/testing/rpc.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { inMemoryTanService } from './fixtures/in-memory-tan-service.ts';
import { untilStreamable } from './fixtures/streamable.ts';
import { aKey, aPayload } from './fixtures/uploads.ts';

/** The process as it really runs, over mutual TLS, with an in-memory verification behind real TLS. */
let pki: TestPki;
let database: TestDatabase;
let verification: TestServer;
const tans = inMemoryTanService();
/** Confirmations never get an answer while this is set. */
let confirmHangs = false;
const channels: Channel[] = [];
const started: Running[] = [];

interface Running {
  readonly child: ChildProcess;
  readonly port: number;
  readonly management: number;
  readonly ended: Promise<number | null>;
  output: string;
}

beforeAll(async () => {
  [pki, database] = await Promise.all([testPki(), openTestDatabase('submission')]);
  const handlers = {
    ...tans,
    confirmTans: (request: { reservationIds: string[] }) =>
      confirmHangs ? new Promise<never>(() => {}) : tans.confirmTans(request),
  };
  const service = bind('cwa.verification.v1.TanService', TanServiceService, handlers);
  verification = await serve('verification', [service], { pki, graceMs: 100 });
});

afterAll(async () => {
  for (const channel of channels) channel.close();
  for (const { child, ended } of started) {
    child.kill('SIGKILL');
    await ended;
  }
  await verification.stop();
  await database.close();
  pki.remove();
});

async function start(more: Record<string, string> = {}): Promise<Running> {
  const { certFile, keyFile, caFile } = await pki.files('submission');
  const [port, management] = [await freePort(), await freePort()];
  const env = {
    SUBMISSION_DATABASE_URL: database.url,
    SUBMISSION_PORT: String(port),
    SUBMISSION_MANAGEMENT_PORT: String(management),
    SUBMISSION_TLS_CERT_FILE: certFile,
    SUBMISSION_TLS_KEY_FILE: keyFile,
    SUBMISSION_TLS_CA_FILE: caFile,
    VERIFICATION_ADDRESS: verification.address,
    ...more,
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  const running: Running = { child, port, management, ended, output: '' };
  started.push(running);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (running.output += chunk));
  return running;
}

const untilStarted = (running: Running) =>
  vi.waitFor(() => expect(running.output).toContain('"event":"started"'), { timeout: 20_000 });

async function client<S>(running: Running, caller: ProcessName, name: string, definition: S) {
  const certificates = await pki.certificates(caller);
  const address = `127.0.0.1:${running.port}`;
  const channel = openChannel({ address, serverName: 'submission', certificates, clock: systemClock });
  channels.push(channel);
  return clientOf(channel, name, definition);
}

const submissionOf = (running: Running, caller: ProcessName = 'gateway') =>
  client(running, caller, 'cwa.submission.v1.SubmissionService', SubmissionServiceService);

/** The process has the system's clock, so its keys are of the real today. */
const todaysKey = () => aKey({ rollingStartIntervalNumber: Math.floor(systemClock.nowMs() / 86_400_000) * 144 });
const upload = (tan: string) => ({ tan, payload: aPayload({ keys: [todaysKey(), todaysKey()] }), onBehalf: false });

test('an upload is stored, streamed and counted; only the named callers get in; SIGTERM ends with status 0', async () => {
  const running = await start();
  await untilStarted(running);
  const submission = await submissionOf(running);
  const uploads = Array.from({ length: 5 }, () => upload(tans.issue()));
  const { outcomes } = await submission.submitKeys({ uploads });
  expect(outcomes.map(({ status }) => status)).toEqual(Array(5).fill(UploadStatus.UPLOAD_STATUS_STORED));
  expect(uploads.every(({ tan }) => tans.isSpent(tan))).toBe(true);

  await untilStreamable(database);
  const keys = await client(
    running,
    'distribution',
    'cwa.submission.v1.DiagnosisKeyService',
    DiagnosisKeyServiceService,
  );
  let count = 0;
  let next: bigint | undefined;
  for await (const { keyCount, nextCursor } of keys.streamDiagnosisKeys({ cursor: 0n })) {
    count += keyCount;
    next = nextCursor;
  }
  expect(count).toBe(10);
  expect(next).toBeGreaterThan(0n);

  const stranger = await submissionOf(running, 'distribution');
  await expect(stranger.submitKeys({ uploads: [] })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });

  const management = `http://127.0.0.1:${running.management}`;
  expect((await fetch(`${management}/health/ready`)).status).toBe(200);
  // Ten uploads were taken; none is seen before the minute is over (decision 34).
  expect(await (await fetch(`${management}/metrics`)).text()).toContain('requests_total{type="real"} 0\n');

  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
  for (const { tan } of uploads) expect(running.output).not.toContain(tan);
});

test('exactly once (decision 20): killed between storing and confirming, the next start confirms by itself', async () => {
  const running = await start();
  await untilStarted(running);
  const submission = await submissionOf(running);
  const stored = upload(tans.issue());
  confirmHangs = true;
  const answer = submission.submitKeys({ uploads: [stored] }).catch(() => 'lost');
  await vi.waitFor(
    async () => {
      const { rows } = await database.pool.query(`select from reservation where state = 'stored'`);
      expect(rows).toHaveLength(1);
    },
    { timeout: 20_000 },
  );
  running.child.kill('SIGKILL');
  await running.ended;
  expect(await answer).toBe('lost');
  expect(tans.isSpent(stored.tan)).toBe(false);

  confirmHangs = false;
  await untilStarted(await start());
  await vi.waitFor(() => expect(tans.isSpent(stored.tan)).toBe(true), { timeout: 20_000 });
});

test('a missing setting or an unreachable database ends start-up with a sentence that names the setting', async () => {
  const unreachable = await start({ SUBMISSION_DATABASE_URL: 'postgres://submission@127.0.0.1:1/submission' });
  expect(await unreachable.ended).toBe(78);
  expect(unreachable.output).toContain('SUBMISSION_DATABASE_URL');
  const incomplete = await start({ VERIFICATION_ADDRESS: '', MAX_NUMBER_OF_KEYS: '3' });
  expect(await incomplete.ended).toBe(78);
  expect(incomplete.output).toMatch(
    /MAX_NUMBER_OF_KEYS[^]*VERIFICATION_ADDRESS|VERIFICATION_ADDRESS[^]*MAX_NUMBER_OF_KEYS/,
  );
});
