import { expect, test } from 'vitest';
import { communicationMatrix } from '../../rpc/communication-matrix.ts';
import { definitionOf } from './catalog.ts';

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
