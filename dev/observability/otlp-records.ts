import { fromBinary } from '@bufbuild/protobuf';
import {
  type AnyValue,
  ExportLogsServiceRequestSchema,
  ExportMetricsServiceRequestSchema,
  ExportTraceServiceRequestSchema,
  type HistogramDataPoint,
  type KeyValue,
  type Metric,
  type NumberDataPoint,
  type Resource,
} from '../../gen/edge/external/opentelemetry/v1/otlp_pb.ts';

export type Value = string | number | boolean | readonly Value[] | { readonly [key: string]: Value };
export type Values = Readonly<Record<string, Value>>;

export interface SpanRecord {
  /** `service.name` of the resource. */
  readonly service: string;
  readonly resource: Values;
  readonly traceId: string;
  readonly spanId: string;
  /** Absent in the first span of a trace. */
  readonly parentSpanId?: string;
  readonly traceState: string;
  readonly name: string;
  readonly kind: 'unspecified' | 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** ISO 8601, UTC. */
  readonly start: string;
  readonly durationMs: number;
  readonly attributes: Values;
  readonly events: readonly { readonly name: string; readonly attributes: Values }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string; readonly attributes: Values }[];
  readonly status: 'unset' | 'ok' | 'error';
  readonly statusMessage: string;
}

export interface LogRecord {
  readonly service: string;
  readonly resource: Values;
  readonly time: string;
  readonly severity: string;
  readonly event: string;
  readonly body: Value;
  readonly attributes: Values;
  readonly traceId?: string;
  readonly spanId?: string;
}

/** One row of a metric at one time. */
export interface MetricPoint {
  readonly service: string;
  readonly resource: Values;
  readonly name: string;
  readonly unit: string;
  readonly description: string;
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'unknown';
  readonly time: string;
  readonly attributes: Values;
  /** Of a histogram the number of values. */
  readonly value: number;
  readonly sum?: number;
  readonly bounds?: readonly number[];
  readonly counts?: readonly number[];
}

/** Throws when the bytes are no such request, as do the two below. */
export function spansOf(body: Uint8Array): SpanRecord[] {
  const { resourceSpans } = fromBinary(ExportTraceServiceRequestSchema, body);
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...originOf(resource),
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        ...(span.parentSpanId.length === 0 ? {} : { parentSpanId: hex(span.parentSpanId) }),
        traceState: span.traceState,
        name: span.name,
        kind: kinds[span.kind] ?? 'unspecified',
        start: isoTime(span.startTimeUnixNano),
        durationMs: Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6,
        attributes: valuesOf(span.attributes),
        events: span.events.map(({ name, attributes }) => ({ name, attributes: valuesOf(attributes) })),
        links: span.links.map(({ traceId, spanId, attributes }) => ({
          traceId: hex(traceId),
          spanId: hex(spanId),
          attributes: valuesOf(attributes),
        })),
        status: statuses[span.status?.code ?? 0] ?? 'unset',
        statusMessage: span.status?.message ?? '',
      })),
    ),
  );
}

export function logsOf(body: Uint8Array): LogRecord[] {
  const { resourceLogs } = fromBinary(ExportLogsServiceRequestSchema, body);
  return resourceLogs.flatMap(({ resource, scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map((record) => ({
        ...originOf(resource),
        time: isoTime(record.timeUnixNano),
        severity: record.severityText,
        event: record.eventName,
        body: valueOf(record.body),
        attributes: valuesOf(record.attributes),
        ...(record.traceId.length === 0 ? {} : { traceId: hex(record.traceId), spanId: hex(record.spanId) }),
      })),
    ),
  );
}

export function pointsOf(body: Uint8Array): MetricPoint[] {
  const { resourceMetrics } = fromBinary(ExportMetricsServiceRequestSchema, body);
  return resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap((metric) => {
        const { name, unit, description } = metric;
        const common = {
          ...originOf(resource),
          name,
          unit,
          description,
          kind: metric.data.case ?? ('unknown' as const),
        };
        return rowsOf(metric).map((row): MetricPoint => ({ ...common, ...row }));
      }),
    ),
  );
}

function rowsOf({ data }: Metric) {
  switch (data.case) {
    case 'gauge':
    case 'sum':
      return data.value.dataPoints.map(numberRow);
    case 'histogram':
      return data.value.dataPoints.map(histogramRow);
    default:
      return [];
  }
}

const numberRow = ({ timeUnixNano, attributes, value }: NumberDataPoint) => ({
  time: isoTime(timeUnixNano),
  attributes: valuesOf(attributes),
  value: Number(value.value ?? 0),
});

const histogramRow = ({ timeUnixNano, attributes, count, sum, explicitBounds, bucketCounts }: HistogramDataPoint) => ({
  time: isoTime(timeUnixNano),
  attributes: valuesOf(attributes),
  value: Number(count),
  ...(sum === undefined ? {} : { sum }),
  bounds: explicitBounds,
  counts: bucketCounts.map(Number),
});

const kinds = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'] as const;
const statuses = ['unset', 'ok', 'error'] as const;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const isoTime = (nanoseconds: bigint): string => new Date(Number(nanoseconds / 1_000_000n)).toISOString();

function originOf(resource: Resource | undefined) {
  const values = valuesOf(resource?.attributes ?? []);
  const service = values['service.name'];
  return { service: typeof service === 'string' ? service : '', resource: values };
}

const valuesOf = (attributes: readonly KeyValue[]): Values =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, valueOf(value)]));

function valueOf(any: AnyValue | undefined): Value {
  const value = any?.value;
  switch (value?.case) {
    case 'stringValue':
    case 'boolValue':
    case 'doubleValue':
      return value.value;
    case 'intValue':
      return Number(value.value);
    case 'bytesValue':
      return hex(value.value);
    case 'arrayValue':
      return value.value.values.map(valueOf);
    case 'kvlistValue':
      return valuesOf(value.value.values);
    case undefined:
      return '';
  }
}
