import { afterAll, beforeAll, expect, test } from 'vitest';
import { catalog } from '../../lib/telemetry/catalog/catalog.ts';
import { allowedSpanAttributes } from '../../lib/telemetry/attributes.ts';
import { deferred } from '../bench/bench.ts';
import { type ObservedMesh, openObservedMesh } from '../bench/privacy/observe.ts';
import { openLab } from '../journey/lab.ts';
import type { SpanRecord } from '../observability/otlp-records.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../observability/otlp-receiver.ts';

/** What a collector receives of a whole mesh, while phones of all routes and a lab use it (decision 34). */
const { defer, undo } = deferred();
const progress = () => {};
let receiver: OtlpReceiver;
let observed: ObservedMesh;

beforeAll(async () => {
  receiver = await startOtlpReceiver();
  defer(() => receiver.close());
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint, TELEMETRY_FLUSH_SECONDS: '1' };
  observed = await openObservedMesh({ progress, defer, scale: 1 }, { tans: 1_000, tokens: 1_000 }, env);
});
afterAll(undo);

/** Spans of the trace, each with the one that it hangs on before it. */
const chain = (spans: readonly SpanRecord[]): SpanRecord[] => {
  const after = (parent: string | undefined): SpanRecord[] =>
    spans.filter((span) => span.parentSpanId === parent).flatMap((span) => [span, ...after(span.spanId)]);
  return after(undefined);
};

test('a delivery is one trace from the edge to the transaction, and of phones there is none', async () => {
  const { surfaces } = await observed.observe({ lanes: 4, requests: 3 });
  expect(surfaces).toHaveLength(8);
  expect(surfaces.map(({ failed, name }) => [name, failed]).filter(([, failed]) => failed !== 0)).toEqual([]);

  const { mesh } = observed;
  const lab = openLab(mesh.home, mesh.ports.GATEWAY_PARTNER_PORT);
  const { status } = await lab.report(['b0b0cafe', 'b0b0cafe-2', 'b0b0cafe-3'], 'positive');
  await lab.close();
  expect(status).toBe(204);
  await receiver.until(() => receiver.latest('cwa.gateway.requests').some(({ value }) => value !== 0));
  // The end of a process sends what is left.
  for (const process of [...mesh.processes.values()].reverse()) await process.stop();

  const root = receiver.spans.find(({ name }) => name === 'POST /api/v1/lab/results');
  const trace = chain(receiver.spans.filter(({ traceId }) => traceId === root?.traceId));
  expect(trace.map(({ service, kind, name }) => [service, kind, name])).toEqual([
    ['gateway', 'server', 'POST /api/v1/lab/results'],
    ['gateway', 'client', 'cwa.test_result.v1.LabResultService/StoreResults'],
    ['test-result', 'server', 'cwa.test_result.v1.LabResultService/StoreResults'],
    ['test-result', 'client', 'store-results'],
  ]);
  expect(root?.attributes).toEqual({
    'http.request.method': 'POST',
    'http.route': '/api/v1/lab/results',
    'http.response.status_code': 204,
    'cwa.partner': 'local-lab',
  });
  expect(receiver.logs.filter(({ event }) => event === 'lab-results-delivered')).toMatchObject([
    { service: 'gateway', attributes: { partner: 'local-lab', count: 3, stored: 3, unchanged: 0, refused: 0 } },
  ]);

  // Traces of the prober say that they are of nobody's phone (decision 35).
  const roots = receiver.spans.filter(({ parentSpanId }) => parentSpanId === undefined);
  const synthetic = roots.filter(({ attributes }) => attributes['cwa.synthetic'] === true);
  const explained = new Set([root, ...synthetic].map((span) => span?.traceId));
  const others = receiver.spans.filter(({ traceId }) => !explained.has(traceId));
  expect(others.length).toBeGreaterThan(0);
  const begun = others.filter(({ parentSpanId }) => parentSpanId === undefined).map(({ name }) => name);
  expect(begun.filter((name) => !/^(job |RunDistribution)/.test(name))).toEqual([]);
  const atTheEdge = others.filter(({ service }) => service === 'gateway').map(({ name }) => name);
  expect(atTheEdge.filter((name) => name !== 'cwa.metrics.v1.MetricsService/GetMetrics')).toEqual([]);
  const ofPhones =
    /RegistrationService|SubmissionService|[^e]TanService|v1\.TestResultService|^(register-tokens|issue-tans|store-uploads|abandon-|release-tan)/;
  expect(others.map(({ name }) => name).filter((name) => ofPhones.test(name))).toEqual([]);
});

test('everything that was exported is in the catalog and in the allow-list', () => {
  const keys = receiver.spans.flatMap(({ attributes }) => Object.keys(attributes));
  expect([...new Set(keys)].filter((key) => !allowedSpanAttributes.has(key))).toEqual([]);
  for (const span of receiver.spans) expect([span.events, span.links, span.statusMessage]).toEqual([[], [], '']);
  const names = new Set(receiver.points.map(({ name }) => name));
  expect([...names].filter((name) => !(name in catalog))).toEqual([]);
  expect(names.size).toBeGreaterThan(20);
});
