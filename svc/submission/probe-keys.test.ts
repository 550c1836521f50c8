import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { hoursSinceEpoch } from '../../lib/exposure/intervals.ts';
import { isProbeKey, makeProbeKey } from '../../lib/exposure/probe-key.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { aCall } from '../../lib/testing/call.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { untilStreamable } from './fixtures/streamable.ts';
import { aKey, aPayload, now, testService, today } from './fixtures/uploads.ts';
import { deleteExpired } from './jobs/delete-expired.ts';
import { listProbeKeys } from './list-probe-keys.ts';
import { streamDiagnosisKeys } from './stream-diagnosis-keys.ts';
import { submitKeys } from './submit-keys.ts';

/** The prober's keys (decision 35): taken over the real route, and never seen where keys of people are. */
const secret = 'a secret of the prober and of submission';
const hour = hoursSinceEpoch(now.getTime() / 1_000);
const hourMs = 3_600_000;
const hex = (keys: readonly { keyData?: Uint8Array | undefined }[]) =>
  keys.map(({ keyData = Buffer.alloc(0) }) => Buffer.from(keyData).toString('hex')).sort();

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('truncate diagnosis_key, reservation, country_set, probe_key');
});

const aProbeKey = (age = 1) =>
  aKey({ keyData: makeProbeKey(secret, randomBytes(8)), rollingStartIntervalNumber: today - 144 * age });

function service(config = {}) {
  const made = testService(database, { config, isProbeKey: (key) => isProbeKey(secret, key) });
  return {
    ...made,
    send: (keys: ReturnType<typeof aKey>[]) => made.submit(made.verification.issue(), aPayload({ keys })),
  };
}

/** Everything that distribution is streamed. */
async function streamed() {
  await untilStreamable(database);
  let keyData = '';
  let countrySets = 0;
  for await (const message of streamDiagnosisKeys({ pool: database.pool })({ cursor: 0n }, aCall())) {
    keyData += message.keyData.toString('hex');
    countrySets += message.countrySets.length;
  }
  return { keyData, countrySets };
}

const listed = async (fromHour: number) => (await listProbeKeys({ pool: database.pool })({ fromHour }, aCall())).keys;

test('an upload of the prober spends its TAN and leaves nothing in the key stream, not even a set of countries', async () => {
  const s = service({ keyPaddingMultiplier: 3 });
  const keys = Array.from({ length: 14 }, (_, age) => aProbeKey(age));
  const tan = s.verification.issue();
  expect((await s.submit(tan, aPayload({ keys }))).status).toBe(UploadStatus.UPLOAD_STATUS_STORED);
  expect(s.verification.isSpent(tan)).toBe(true);
  expect(await database.rowCount('reservation')).toBe(1);
  expect(await database.rowCount('diagnosis_key')).toBe(0);
  expect(await streamed()).toEqual({ keyData: '', countrySets: 0 });
  expect(hex(await listed(hour))).toEqual(hex(keys));
  expect(await listed(hour + 1)).toEqual([]);
});

test('both kinds in one upload: each goes its way, padding is for keys of people alone', async () => {
  const s = service({ keyPaddingMultiplier: 2 });
  const [probe, real] = [aProbeKey(), aKey()];
  await s.send([probe, real]);
  expect(await listed(hour)).toEqual([
    {
      keyData: probe.keyData,
      rollingStartIntervalNumber: today - 144,
      rollingPeriod: 144,
      transmissionRiskLevel: 5,
    },
  ]);
  const stream = await streamed();
  expect(stream.keyData).toHaveLength(2 * 32);
  expect(stream.keyData).toContain(real.keyData?.toString('hex'));
  expect(stream.keyData).not.toContain(probe.keyData?.toString('hex'));
});

test('a retry stores nothing twice; a TAN that does not hold stores nothing', async () => {
  const s = service();
  const [tan, payload] = [s.verification.issue(), aPayload({ keys: [aProbeKey()] })];
  await s.submit(tan, payload);
  await s.submit(tan, payload);
  expect(await database.rowCount('probe_key')).toBe(1);
  const { status } = await s.submit(tan, aPayload({ keys: [aProbeKey()] }));
  expect(status).toBe(UploadStatus.UPLOAD_STATUS_TAN_REFUSED);
  expect(await database.rowCount('probe_key')).toBe(1);
});

test('without the secret, and with another one, a synthetic key is a key like any other', async () => {
  const s = testService(database);
  await s.submit(s.verification.issue(), aPayload({ keys: [aProbeKey()] }));
  const other = testService(database, { isProbeKey: (key) => isProbeKey('another secret', key) });
  await other.submit(other.verification.issue(), aPayload({ keys: [aProbeKey()] }));
  expect(await database.rowCount('probe_key')).toBe(0);
  expect(await database.rowCount('diagnosis_key')).toBe(2);
});

test('of a synthetic call no key gets among those of people, whatever secret made it: the prober is told, its TAN is kept', async () => {
  const s = service();
  const other = testService(database, { isProbeKey: (key) => isProbeKey('another secret', key) });
  for (const { deps, verification, keys } of [
    { ...s, keys: [aKey()] },
    { ...s, keys: [aProbeKey(), aKey()] },
    { ...other, keys: [aProbeKey()] },
  ]) {
    const tan = verification.issue();
    const uploads = [{ tan, payload: aPayload({ keys }), onBehalf: false }];
    const { outcomes } = await submitKeys(deps)({ uploads }, { ...aCall(), synthetic: true });
    expect(outcomes[0]?.status).toBe(UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD);
    expect(verification.isSpent(tan)).toBe(false);
  }
  expect([await database.rowCount('diagnosis_key'), await database.rowCount('probe_key')]).toEqual([0, 0]);
});

test('a synthetic call counts nothing', async () => {
  const s = service();
  const request = () => ({
    uploads: [{ tan: s.verification.issue(), payload: aPayload({ keys: [aProbeKey()] }), onBehalf: false }],
  });
  const submit = submitKeys(s.deps);
  for (let i = 0; i < 5; i++) await submit(request(), { ...aCall(), synthetic: true });
  expect(await s.metrics.seen('submission_controller.requests')).toBe(0);
  for (let i = 0; i < 5; i++) await submit(request(), aCall());
  expect(await s.metrics.seen('submission_controller.requests', { type: 'real' })).toBe(5);
});

test('retention: no key of the prober is older than 24 hours', async () => {
  const s = service();
  const run = deleteExpired({ ...s.deps, log: silentLog });
  await s.send([aProbeKey()]);
  s.clock.set((hour + 23) * hourMs + 3_599_000);
  await run();
  expect(await database.rowCount('probe_key')).toBe(1);
  s.clock.set((hour + 24) * hourMs);
  await run();
  expect(await database.rowCount('probe_key')).toBe(0);
});
