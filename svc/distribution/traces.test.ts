import { expect, test } from 'vitest';
import { allowedSpanAttributes } from '../../lib/telemetry/attributes.ts';
import { inTrace } from '../../lib/telemetry/tracing.ts';
import { aCall } from '../../lib/testing/call.ts';
import { recordedMetrics } from '../../lib/testing/telemetry.ts';
import { recordedSpans } from '../../lib/testing/spans.ts';
import { countedSigner } from './counted-signer.ts';
import { world } from './fixtures/world.ts';
import { runDistribution } from './run-distribution.ts';

async function tracedWorld() {
  const w = await world({ start: '2020-09-13T22:05:00Z' });
  const metrics = recordedMetrics('distribution');
  const deps = { ...w.deps, signers: w.deps.signers.map((signer) => countedSigner(signer, metrics)) };
  return { ...w, ask: () => runDistribution(deps)({}, aCall('scheduler')) };
}

/** A run over midnight of the third day, with packages of hours and a day, and something to delete. */
async function eventfulRun() {
  const w = await tracedWorld();
  await w.ask();
  w.clock.set('2020-09-14T23:05:00Z');
  await w.ask();
  w.submit(150);
  w.clock.set('2020-09-15T00:05:00Z');
  return w;
}

test('a run that the scheduler asks for is one trace: every step below it, to each signature and request', async () => {
  const w = await eventfulRun();
  const spans = recordedSpans();
  await w.ask();
  expect(new Set(spans.all().map((span) => span.spanContext().traceId)).size).toBe(1);
  const paths = new Set(spans.all().map(spans.path));
  const run = 'RunDistribution > distribution run';
  expect([...paths].sort()).toEqual(
    [
      'RunDistribution',
      run,
      `${run} > assign-hours`,
      `${run} > delete expired`,
      `${run} > delete expired > delete objects`,
      `${run} > delete expired > delete-expired-keys`,
      `${run} > delete expired > forget-objects`,
      `${run} > publish configuration`,
      `${run} > publish configuration > choose-configuration`,
      `${run} > publish indexes`,
      `${run} > publish indexes > put object`,
      `${run} > publish packages`,
      `${run} > publish packages > publish package`,
      `${run} > publish packages > publish package > put object`,
      `${run} > publish packages > publish package > sign`,
      `${run} > publish packages > read-package`,
      `${run} > publish probe`,
      `${run} > publish warning hours`,
      `${run} > publish warning hours > put object`,
      `${run} > read keys`,
    ].sort(),
  );
  const put = spans
    .all()
    .find(
      ({ name, attributes }) =>
        name === 'put object' && attributes['cwa.window'] === 'hour' && attributes['cwa.region'] === 'EUR',
    );
  const size = w.store.objects().get('version/v1/diagnosis-keys/country/EUR/date/2020-09-14/hour/23')?.body.length;
  expect(put?.attributes).toEqual({
    'cwa.store.operation': 'put',
    'cwa.bytes': size,
    'cwa.region': 'EUR',
    'cwa.window': 'hour',
    'cwa.date': '2020-09-14',
    'cwa.hour': 23,
    'cwa.outcome': 'done',
  });
});

test('a run inside the trace of a caller belongs to it', async () => {
  const w = await tracedWorld();
  const spans = recordedSpans();
  await inTrace('scheduler', {}, () => w.ask());
  expect(spans.all().map(spans.path)).toContain('scheduler > distribution run > publish configuration > sign');
  expect(spans.all().map(({ name }) => name)).not.toContain('RunDistribution');
});

test('a run that fails says so, with the kind of the error alone', async () => {
  const w = await tracedWorld();
  w.store.failWhere(() => true);
  const spans = recordedSpans();
  await expect(w.ask()).rejects.toThrow();
  const run = spans.all().find(({ name }) => name === 'distribution run');
  expect(run?.attributes).toEqual({ 'cwa.outcome': 'failed', 'error.type': 'StoreUnusableError' });
  expect(JSON.stringify(spans.all().map(({ status, events }) => [status.message, events]))).not.toContain('store');
});

test('nothing but the allow-list is even set, and no key and no name of an object', async () => {
  const w = await eventfulRun();
  const spans = recordedSpans();
  await w.ask();
  const told = spans.all().flatMap(({ attributes }) => Object.entries(attributes));
  expect(told.length).toBeGreaterThan(50);
  expect(told.filter(([name]) => !allowedSpanAttributes.has(name))).toEqual([]);
  const text = JSON.stringify(spans.all().map(({ name, attributes }) => [name, attributes]));
  expect(text).not.toMatch(/version\/v|diagnosis-keys/);
  for (const { keyData } of w.submission.keys) expect(text.includes(keyData.toString('hex'))).toBe(false);
});

test('decision 34: a trace is the same whether somebody has uploaded since the last run or nobody has', async () => {
  const spans = recordedSpans();
  const traceAfter = async (uploads: number) => {
    const w = await tracedWorld();
    await w.ask();
    w.submit(uploads);
    w.clock.set('2020-09-13T23:05:00Z');
    spans.forget();
    await w.ask();
    return spans.all().map((span) => [spans.path(span), span.attributes]);
  };
  const nobody = await traceAfter(0);
  expect(nobody.length).toBeGreaterThan(10);
  expect(await traceAfter(14)).toEqual(nobody);
});
