import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import {
  type DistributionRun,
  type GetMetricsResponse,
  type KeyPackage,
  type Metric,
  MetricKind,
  MetricsServiceService,
  type Process,
} from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { bind, type BoundService } from './handlers.ts';

/** What distribution tells beside metrics; it reads it when asked. */
export type MetricsDetails = () => Promise<{
  readonly runs: readonly DistributionRun[];
  readonly packages: readonly KeyPackage[];
}>;

/** The one read-only RPC that feeds operators: what the registry shows, which is as of the last whole minute. */
export function metricsService(telemetry: Telemetry, details?: MetricsDetails): BoundService {
  return bind('cwa.metrics.v1.MetricsService', MetricsServiceService, {
    getMetrics: () => metricsAnswer(telemetry, details),
  });
}

/** What the RPC answers; the ops API asks itself without one. */
export async function metricsAnswer(
  { registry, build }: Telemetry,
  details?: MetricsDetails,
): Promise<GetMetricsResponse> {
  const { metrics, atMs } = registry.shown();
  const { runs = [], packages = [] } = (await details?.()) ?? {};
  const process: Process = {
    name: build.process,
    version: build.version,
    commit: build.commit,
    instance: build.instance,
    startedAt: build.startedAt,
    certificates: certificatesOf(metrics, atMs),
    dependencies: dependenciesOf(metrics),
  };
  return { process, asOf: new Date(atMs), metrics: metrics.map(messageOf), runs: [...runs], packages: [...packages] };
}

function messageOf(data: MetricData): Metric {
  const { name, unit } = data.descriptor;
  switch (data.dataPointType) {
    case DataPointType.HISTOGRAM: {
      const points = data.dataPoints.map(({ attributes, value }) => ({
        attributes: texts(attributes),
        value: value.sum ?? 0,
        bucketCounts: [...value.buckets.counts],
      }));
      const bounds = [...(data.dataPoints[0]?.value.buckets.boundaries ?? [])];
      return { name, unit, kind: MetricKind.METRIC_KIND_HISTOGRAM, points, bounds };
    }
    case DataPointType.SUM:
      return { name, unit, kind: MetricKind.METRIC_KIND_COUNTER, points: pointsOf(data.dataPoints), bounds: [] };
    case DataPointType.GAUGE:
      return { name, unit, kind: MetricKind.METRIC_KIND_GAUGE, points: pointsOf(data.dataPoints), bounds: [] };
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      throw new Error('the registry has no exponential histograms');
  }
}

const pointsOf = (points: readonly { readonly attributes: object; readonly value: number }[]) =>
  points.map(({ attributes, value }) => ({ attributes: texts(attributes), value, bucketCounts: [] }));

const texts = (attributes: object): Record<string, string> =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, String(value)]));

function gauge(metrics: readonly MetricData[], name: string) {
  const data = metrics.find(({ descriptor }) => descriptor.name === name);
  return data?.dataPointType === DataPointType.GAUGE ? data.dataPoints : [];
}

const certificatesOf = (metrics: readonly MetricData[], atMs: number) =>
  gauge(metrics, 'cwa.certificate.remaining').map(({ attributes, value }) => ({
    name: String(attributes['cwa.certificate']),
    notAfter: new Date(atMs + value * 1_000),
  }));

const dependenciesOf = (metrics: readonly MetricData[]) =>
  gauge(metrics, 'cwa.dependency.up').map(({ attributes, value }) => ({
    name: String(attributes['cwa.dependency']),
    up: value >= 1,
  }));
