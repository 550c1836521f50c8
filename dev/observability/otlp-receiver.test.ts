import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { jsonLog } from '../../lib/telemetry/log.ts';
import { openTelemetry } from '../../lib/telemetry/telemetry.ts';
import { inSpan, inTrace } from '../../lib/telemetry/tracing.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { startOtlpReceiver } from './otlp-receiver.ts';

async function receiver() {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-otlp-'));
  const started = await startOtlpReceiver({ folder });
  onTestFinished(async () => {
    await started.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const lines = (signal: string): unknown[] =>
    readFileSync(join(folder, `${signal}.ndjson`), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  return { ...started, lines };
}

const settingsOf = (endpoint: string) => ({ endpoint, tls: {}, sampled: 1, flushMs: 60_000, commit: 'abcdef1' });

test('what a process sends arrives: spans under their parents, log lines, metric points, each with its origin', async () => {
  const otlp = await receiver();
  const telemetry = await openTelemetry('distribution', settingsOf(otlp.endpoint), systemClock);
  const log = jsonLog(
    'distribution',
    () => new Date('2020-06-17T10:00:00Z'),
    () => {},
    'info',
    telemetry.logSink,
  );

  const failing = inTrace('run', { attributes: { 'cwa.job': 'distribute' } }, async (span) => {
    span.set({ 'cwa.count': 7, 'cwa.synthetic': true });
    await inSpan('sign', { kind: 'client' }, async () => {});
    throw new TypeError('with data');
  });
  await expect(failing).rejects.toThrow('with data');
  log.warn('package-late', { hour: 12 });
  telemetry.metrics.count('cwa.security.events', { 'cwa.security.event': 'overload' }, 3);
  telemetry.metrics.record('cwa.job.duration', { 'cwa.job': 'distribute' }, 2);
  await telemetry.close();

  const [run, sign] = ['run', 'sign'].map((name) => otlp.spans.find((span) => span.name === name));
  expect(run).toMatchObject({
    service: 'distribution',
    kind: 'internal',
    attributes: { 'cwa.job': 'distribute', 'cwa.count': 7, 'cwa.synthetic': true, 'error.type': 'TypeError' },
    status: 'error',
    statusMessage: '',
  });
  expect(run?.resource).toMatchObject({ 'service.namespace': 'cwa', 'vcs.ref.head.revision': 'abcdef1' });
  expect(run).not.toHaveProperty('parentSpanId');
  expect(sign).toMatchObject({ kind: 'client', traceId: run?.traceId, parentSpanId: run?.spanId, status: 'unset' });
  expect(otlp.logs).toMatchObject([
    { service: 'distribution', severity: 'WARN', event: 'package-late', time: '2020-06-17T10:00:00.000Z' },
  ]);
  expect(otlp.logs[0]?.attributes).toEqual({ hour: 12 });
  expect(otlp.latest('cwa.security.events')).toMatchObject([
    { kind: 'sum', unit: '{event}', value: 3, attributes: { 'cwa.security.event': 'overload' } },
  ]);
  expect(otlp.latest('cwa.job.duration')).toMatchObject([{ kind: 'histogram', value: 1, sum: 2 }]);
  expect(otlp.lines('traces')).toEqual(otlp.spans);
  expect(otlp.lines('logs')).toEqual(otlp.logs);
  expect(otlp.lines('metrics')).toEqual(otlp.points);
});

test('the bodies hold every text that was sent, wherever it stood', async () => {
  const otlp = await receiver();
  const telemetry = await openTelemetry('gateway', settingsOf(otlp.endpoint), systemClock);
  telemetry.logSink?.({ time: new Date(0), level: 'info', event: 'canary-text', fields: {} });
  await telemetry.close();

  expect(otlp.bodies.some((body) => body.includes('canary-text'))).toBe(true);
});

test('what is no request of the protocol is refused', async () => {
  const otlp = await receiver();
  const post = async (path: string, body: string, type = 'application/x-protobuf') =>
    (await fetch(`${otlp.endpoint}${path}`, { method: 'POST', body, headers: { 'content-type': type } })).status;

  expect(await post('/v1/traces', '\n\x7f{')).toBe(400);
  expect(await post('/v1/traces', '{}', 'application/json')).toBe(415);
  expect(await post('/v1/other', '')).toBe(404);
  expect((await fetch(`${otlp.endpoint}/v1/logs`)).status).toBe(405);
  expect(otlp.bodies).toEqual([]);
});
