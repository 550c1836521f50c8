import { expect, test } from 'vitest';
import { communicationMatrix } from '../../rpc/communication-matrix.ts';
import { definitionOf } from './catalog.ts';
import { intakeMetrics } from './intake.ts';
import { echoStep, type MetricDefinition } from './metric.ts';

/** Called for laboratories, by jobs, operators and the prober. A new service is an echo, or is added here with thought. */
const notForPhones = [
  'cwa.submission.v1.DiagnosisKeyService',
  'cwa.submission.v1.ProbeKeyService',
  'cwa.test_result.v1.LabResultService',
  'cwa.distribution.v1.DistributionService',
  'cwa.metrics.v1.MetricsService',
];

test.each(['rpc.server.call.duration', 'rpc.client.call.duration'] as const)(
  'decision 34: in %s every service that phones cause to be called has the larger step',
  (metric) => {
    const echoes = definitionOf(metric).echoes?.values ?? [];
    expect([...echoes, ...notForPhones].sort()).toEqual(Object.keys(communicationMatrix).sort());
  },
);

test('decision 34: behind the gateway an act of a person is counted in small steps once; what else counts it is an echo', () => {
  const behind = (Object.entries(intakeMetrics) as [string, MetricDefinition][]).filter(([, { of }]) =>
    ['submission', 'verification'].some((process) => of.includes(process)),
  );
  const small = behind.filter(([, { step }]) => step < echoStep).map(([name]) => name);
  // The two counters of uploads move together (`svc/submission/upload-counts.ts`).
  expect(small).toEqual(['submission_controller.requests', 'cwa.submission.uploads', 'cwa.verification.registrations']);
});
