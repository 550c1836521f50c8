import { expect, test } from 'vitest';
import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { seededRandom } from '../../lib/random/random.ts';
import { recordedMetrics } from '../../lib/testing/telemetry.ts';
import { uploadCounts } from '../../svc/submission/upload-counts.ts';

const minuteMs = 60_000;
const hours = 8;
const processes = ['gateway', 'submission', 'verification', 'test-result'] as const;

type Registry = ReturnType<typeof recordedMetrics>;
type Called = readonly [registry: Registry, side: 'server' | 'client', service: string, method: string];

/** A mesh of which only the counting is there, and whoever can read all its metrics each minute. */
function openMesh() {
  let nowMs = 0;
  const [gateway, submission, verification, testResult] = processes.map((name) =>
    recordedMetrics(name, () => nowMs),
  ) as [Registry, Registry, Registry, Registry];
  const registries = [gateway, submission, verification, testResult];
  const countUpload = uploadCounts(submission);
  const called: readonly Called[] = [
    [gateway, 'client', 'verification.v1.RegistrationService', 'IssueTans'],
    [verification, 'server', 'verification.v1.RegistrationService', 'IssueTans'],
    [verification, 'client', 'test_result.v1.TestResultService', 'GetResults'],
    [testResult, 'server', 'test_result.v1.TestResultService', 'GetResults'],
    [gateway, 'client', 'submission.v1.SubmissionService', 'SubmitKeys'],
    [submission, 'server', 'submission.v1.SubmissionService', 'SubmitKeys'],
    [submission, 'client', 'verification.v1.TanService', 'ReserveTans'],
    [verification, 'server', 'verification.v1.TanService', 'ReserveTans'],
    [submission, 'client', 'verification.v1.TanService', 'ConfirmTans'],
    [verification, 'server', 'verification.v1.TanService', 'ConfirmTans'],
  ];
  /** Everything that one upload moves. */
  const moves: readonly (() => void)[] = [
    ...called.map(([registry, side, service, method]) => () => {
      const row = { 'rpc.service': `cwa.${service}`, 'rpc.method': method, 'rpc.response.status_code': 'OK' };
      registry.record(`rpc.${side}.call.duration`, row, 0.01);
    }),
    ...(
      [
        [verification, 'issue-tans'],
        [submission, 'store-uploads'],
      ] as const
    ).map(([registry, name]) => () => {
      registry.record('db.client.operation.duration', { 'db.operation.name': name, 'cwa.outcome': 'done' }, 0.01);
    }),
    () => verification.count('cwa.verification.tans', { 'cwa.outcome': 'issued' }),
    () => verification.count('cwa.verification.tans', { 'cwa.outcome': 'used' }),
    () => submission.count('cwa.submission.keys', { 'cwa.outcome': 'stored' }, 14),
    () => countUpload(false, UploadStatus.UPLOAD_STATUS_STORED),
  ];
  const shown = () =>
    registries.flatMap((registry, at) =>
      registry.shown().metrics.map(({ descriptor, dataPoints }) => ({
        name: `${processes[at]} ${descriptor.name}`,
        rows: JSON.stringify(dataPoints.map(({ attributes, value }) => [attributes, value])),
      })),
    );
  return {
    moves,
    upload: () => moves.forEach((move) => move()),
    async endOfMinute(minute: number) {
      nowMs = (minute + 1) * minuteMs;
      const before = new Map(shown().map(({ name, rows }) => [name, rows]));
      for (const registry of registries) await registry.flush();
      return shown()
        .filter(({ name, rows }) => rows !== (before.get(name) ?? '[]'))
        .map(({ name }) => name);
    },
  };
}

test('decision 34: all counters together tell of hardly more uploads of a night than one counter does', async () => {
  const random = seededRandom('one night');
  let uploads = 0;
  let byOne = 0;
  let byAll = 0;
  for (let night = 0; night < 60; night++) {
    const mesh = openMesh();
    // Each counter has a rest of its own from the day before: what failed, was repeated or came before a restart.
    for (const move of mesh.moves) for (let rest = random.int(200); rest > 0; rest--) move();
    await mesh.endOfMinute(-1);
    const told = new Set(Array.from({ length: 3 * hours }, () => random.int(60 * hours)));
    for (const minute of [...told].sort((a, b) => a - b)) {
      mesh.upload();
      uploads++;
      const moved = await mesh.endOfMinute(minute);
      if (moved.length > 0) byAll++;
      if (moved.includes('submission cwa.submission.uploads')) byOne++;
    }
  }
  expect(byOne / uploads).toBeCloseTo(1 / 5, 1);
  expect(byAll / uploads).toBeLessThan(byOne / uploads + 0.08);
});
