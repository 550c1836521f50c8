import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import { MeterProvider, type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { secureRandom } from '../random/random.ts';
import type { Clock } from '../time/clock.ts';
import { allowListExporter } from './allow-list-exporter.ts';
import type { LogSink } from './log.ts';
import { MetricRegistry } from './metric-registry.ts';
import { type Metrics, silentMetrics } from './metrics.ts';
import { observeProcess } from './process-metrics.ts';
import type { TelemetrySettings } from './settings.ts';
import { otlpLogSink } from './otlp-log.ts';

/** What runs: told with every metric, span and log line, and to operators. */
export interface Build {
  readonly process: string;
  readonly version: string;
  readonly commit: string;
  /** Made at each start. */
  readonly instance: string;
  readonly startedAt: Date;
}

export interface Telemetry {
  readonly build: Build;
  readonly metrics: Metrics;
  readonly registry: MetricRegistry;
  /** Prometheus text as of the last flush, for the management port. */
  answerMetrics(request: IncomingMessage, response: ServerResponse): void;
  /** Takes log lines when they are exported. */
  readonly logSink?: LogSink;
  /** Sends what is left. */
  close(): Promise<void>;
}

const closeLimitMs = 3_000;

/**
 * Traces, metrics and logs of one process: metrics for Prometheus, all three over OTLP where an endpoint is set. Counted
 * values leave once a minute, whoever asks (decision 34).
 */
export async function openTelemetry(process: string, settings: TelemetrySettings, clock: Clock): Promise<Telemetry> {
  const build: Build = {
    process,
    version: productVersion(),
    commit: settings.commit,
    instance: secureRandom.uuid(),
    startedAt: clock.now(),
  };
  const resource = resourceFromAttributes({
    'service.namespace': 'cwa',
    'service.name': process,
    'service.version': build.version,
    'service.instance.id': build.instance,
    'vcs.ref.head.revision': build.commit,
  });
  const registry = new MetricRegistry(process, () => clock.nowMs());
  const metrics: Metrics = settings.off ? silentMetrics : registry;
  const stopObserving = settings.off ? () => {} : observeProcess(metrics);
  await registry.flush();
  const flushing = setInterval(() => void registry.flush(), settings.flushMs).unref();

  const prometheus = new PrometheusExporter({
    preventServerStart: true,
    metricProducers: [registry],
    withoutScopeInfo: true,
  });
  const exported =
    settings.endpoint === undefined || settings.off
      ? undefined
      : openExport(settings, settings.endpoint, resource, registry);
  const readers: MetricReader[] = [prometheus, ...(exported ? [exported.reader] : [])];
  const meters = new MeterProvider({ resource, readers });

  return {
    build,
    metrics,
    registry,
    answerMetrics: (request, response) => prometheus.getMetricsRequestHandler(request, response),
    ...(exported ? { logSink: exported.logSink } : {}),
    async close() {
      clearInterval(flushing);
      stopObserving();
      await registry.flush();
      await within(closeLimitMs, Promise.allSettled([meters.shutdown(), exported?.close()]));
    },
  };
}

/** Spans and log lines are made only where they are sent somewhere. */
function openExport(settings: TelemetrySettings, endpoint: string, resource: Resource, registry: MetricRegistry) {
  const to = (signal: string) => ({
    url: `${endpoint}/v1/${signal}`,
    httpAgentOptions: { ...settings.tls, keepAlive: true },
  });
  const tracers = new TracerProvider({
    resource,
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(settings.sampled) }),
    spanProcessors: [new BatchSpanProcessor({ exporter: allowListExporter(new OTLPTraceExporter(to('traces'))) })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(tracers);
  const loggers = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(to('logs')) })],
  });
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter(to('metrics')),
    exportIntervalMillis: settings.flushMs,
    exportTimeoutMillis: Math.min(settings.flushMs, 10_000),
    metricProducers: [registry],
  });
  return {
    reader,
    logSink: otlpLogSink(loggers.getLogger('cwa')),
    async close() {
      await Promise.allSettled([tracers.shutdown(), loggers.shutdown()]);
      trace.disable();
      context.disable();
    },
  };
}

function productVersion(): string {
  const file = join(import.meta.dirname, '../../package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** A collector that does not answer must not hold up the stop. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
