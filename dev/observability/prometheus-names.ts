import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { emptyResource } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { ValueType } from '@opentelemetry/api';
import { catalog, definitionOf, type MetricName } from '../../lib/telemetry/catalog/catalog.ts';
import type { MetricDefinition } from '../../lib/telemetry/catalog/metric.ts';

/** A metric of the catalog as Prometheus sees it. */
export interface PrometheusMetric {
  readonly metric: MetricName;
  readonly definition: MetricDefinition;
  /** The family: `cwa_gateway_requests_total`. */
  readonly family: string;
  /** What can be asked for: the family, or of a histogram `…_bucket`, `…_sum`, `…_count`. */
  readonly series: readonly string[];
  /** Labels with all their values; `open` as in the catalog. */
  readonly labels: Readonly<Record<string, readonly string[] | 'open'>>;
}

/** Every metric of the catalog under the names that the exporter of the processes writes, made by the exporter itself. */
export function prometheusMetrics(): readonly PrometheusMetric[] {
  return (Object.keys(catalog) as MetricName[]).map((metric) => {
    const definition = definitionOf(metric);
    const text = new PrometheusSerializer(undefined, false, undefined, true, true).serialize({
      resource: emptyResource(),
      scopeMetrics: [{ scope: { name: 'cwa' }, metrics: [example(metric, definition)] }],
    });
    const family = /^# TYPE (\S+) /m.exec(text)?.[1] ?? '';
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    const keys = Object.keys(definition.attributes);
    const written = [...(/\{(.*)\}/.exec(lines[0] ?? '')?.[1] ?? '').matchAll(/([^=,"]+)="/g)].map((match) => match[1]);
    const labels = Object.fromEntries(
      keys.map((key, at) => [written[at] ?? '', definition.attributes[key] ?? 'open'] as const),
    );
    return {
      metric,
      definition,
      family,
      series: [...new Set(lines.map((line) => line.split(/[{ ]/)[0] ?? ''))],
      labels,
    };
  });
}

function example(name: MetricName, { kind, unit, description, attributes, bounds = [] }: MetricDefinition): MetricData {
  const common = {
    descriptor: { name, unit, description, valueType: ValueType.DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
  };
  const point = {
    startTime: [0, 0] as [number, number],
    endTime: [0, 0] as [number, number],
    attributes: Object.fromEntries(Object.keys(attributes).map((key) => [key, 'x'])),
  };
  if (kind === 'histogram') {
    const counts = [...bounds.map(() => 0), 0];
    const value = { buckets: { boundaries: [...bounds], counts }, count: 0, sum: 0 };
    return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints: [{ ...point, value }] };
  }
  const dataPoints = [{ ...point, value: 0 }];
  return kind === 'gauge'
    ? { ...common, dataPointType: DataPointType.GAUGE, dataPoints }
    : { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
}
