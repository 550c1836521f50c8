import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../../lib/telemetry/log.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { fakeClock } from '../../lib/testing/clock.ts';
import { recordingLog, serve, type TestServer } from '../../lib/testing/rpc.ts';
import { recordedMetrics, testTelemetry } from '../../lib/testing/telemetry.ts';
import type { Telemetry } from '../../lib/telemetry/telemetry.ts';
import { silentMetrics } from '../../lib/telemetry/metrics.ts';
import { anAnswer } from '../fixtures/answers.ts';
import { History } from '../history/history.ts';
import { feedJob } from './feed.ts';
import { Fleet, isAwaited } from './fleet.ts';
import { meshSource } from './mesh-source.ts';
import { pollAll, pollNewcomers, type Source } from './poll.ts';

let server: TestServer;
let telemetry: Telemetry;
beforeAll(async () => {
  telemetry = await testTelemetry('submission');
  server = await serve('submission', [], { telemetry });
});
afterAll(async () => {
  await server?.stop();
  await telemetry?.close();
});

const service = {
  name: 'submission',
  process: 'submission',
  team: 'ops-cwa',
  keeps: [{ metric: 'submission_controller.requests' }],
  typeDefs: '',
  resolvers: {},
} as const;

const pollDeps = (sources: readonly Source[], clock = fakeClock('2026-03-01T10:00:00Z')) => ({
  sources,
  services: [service],
  fleet: new Fleet(['submission'], () => true),
  history: new History(),
  clock,
  log: recordingLog(),
  metrics: recordedMetrics('ops-api'),
});

test('a process is asked over mutual TLS at every address its name has; an address that is gone is forgotten', async () => {
  let addresses = ['127.0.0.1', '127.0.0.2'];
  const source = meshSource({
    process: 'submission',
    address: `submission:${server.port}`,
    certificates: await server.pki.certificates('ops-api'),
    clock: systemClock,
    metrics: silentMetrics,
    resolve: async () => addresses,
  });
  const deps = pollDeps([source]);
  try {
    await pollAll(deps);
    const [one, two] = deps.fleet.get('submission')?.instances ?? [];
    expect(one).toMatchObject({ key: '127.0.0.1', up: true, answer: { process: { name: 'submission' } } });
    // Nobody listens there.
    expect(two).toMatchObject({ key: '127.0.0.2', up: false });
    expect(await deps.metrics.seen('cwa.ops.polls', { 'cwa.outcome': 'done' })).toBe(1);
    expect(await deps.metrics.seen('cwa.ops.polls', { 'cwa.outcome': 'failed' })).toBe(1);
    addresses = ['127.0.0.1'];
    await pollAll(deps);
    expect(deps.fleet.get('submission')?.instances).toHaveLength(1);
  } finally {
    source.close();
  }
}, 30_000);

test('who falls silent is down, with what was last known; a name that leads nowhere likewise', async () => {
  const answers = [async () => anAnswer({ process: 'submission' }), () => Promise.reject(new Error('silent'))];
  let replicas = true;
  const source: Source = {
    process: 'submission',
    replicas: () =>
      replicas
        ? Promise.resolve([{ key: 'a', ask: answers[0] ?? (async () => anAnswer({ process: 'submission' })) }])
        : Promise.reject(new Error('no such name')),
  };
  const deps = pollDeps([source]);
  await pollAll(deps);
  const seenMs = deps.clock.nowMs();
  deps.clock.advance(60_000);
  answers.shift();
  await pollAll(deps);
  const down = { key: 'a', up: false, lastSeenMs: seenMs, answer: { process: { version: '1.2.3' } } };
  expect(deps.fleet.get('submission')?.instances).toMatchObject([down]);
  expect(deps.log.lines).toMatchObject([{ event: 'process-silent', process: 'submission' }]);
  replicas = false;
  await pollAll(deps);
  expect(deps.fleet.get('submission')?.instances).toMatchObject([down]);
});

test('who starts beside us is awaited for a minute and asked again until it answers; others are left alone', async () => {
  let begun = false;
  const asked = { early: 0, late: 0 };
  const source: Source = {
    process: 'submission',
    replicas: async () => [
      { key: 'early', ask: async () => (asked.early++, anAnswer({ process: 'submission', instance: 'one' })) },
      {
        key: 'late',
        ask: async () => {
          asked.late++;
          if (!begun) throw new Error('nobody listens yet');
          return anAnswer({ process: 'submission', instance: 'two' });
        },
      },
    ],
  };
  const deps = pollDeps([source]);
  const late = () => deps.fleet.get('submission')?.instances[1];
  await pollAll(deps);
  await pollNewcomers(deps);
  expect(asked).toEqual({ early: 1, late: 2 });
  expect(await deps.metrics.seen('cwa.ops.polls', { 'cwa.outcome': 'failed' })).toBe(1);
  const awaited = late();
  expect(awaited).toMatchObject({ up: false });
  expect(awaited && isAwaited(awaited, deps.clock.monotonicMs())).toBe(true);
  expect(awaited && isAwaited(awaited, deps.clock.monotonicMs() + 60_000)).toBe(false);
  begun = true;
  await pollNewcomers(deps);
  await pollNewcomers(deps);
  expect(late()).toMatchObject({ up: true });
  expect(asked).toEqual({ early: 1, late: 3 });
});

test('another process behind the address is not taken for it; one replica with two addresses counts once', async () => {
  const row = (count: number) => ({ 'submission_controller.requests': [[{ type: 'real' }, count] as const] });
  let count = 0;
  const answer = async () => anAnswer({ process: 'submission', metrics: row(count) });
  const source: Source = {
    process: 'submission',
    replicas: async () => [
      { key: 'a', ask: answer },
      { key: 'b', ask: answer },
      { key: 'c', ask: async () => anAnswer({ process: 'gateway' }) },
    ],
  };
  const deps = pollDeps([source]);
  await pollAll(deps);
  count = 50;
  deps.clock.advance(60_000);
  await pollAll(deps);
  expect(deps.fleet.get('submission')?.instances.map(({ up }) => up)).toEqual([true, true, false]);
  const selection = { process: 'submission', metric: 'submission_controller.requests' } as const;
  expect(deps.history.read(selection, 'hour', Math.floor(deps.clock.nowMs() / 3_600_000), 1)).toEqual([50]);
});

test('the history is kept every five minutes', async () => {
  let saved = 0;
  const clock = fakeClock('2026-03-01T10:00:00Z');
  const job = feedJob({ ...pollDeps([], clock), log: silentLog, save: () => saved++ });
  for (let minute = 0; minute < 11; minute++) {
    await job();
    clock.advance(60_000);
  }
  expect(saved).toBe(2);
});
