import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';

/** Spans that ended during a test, as the code made them: before the allow-list of the exporter. */
export interface RecordedSpans {
  all(): ReadableSpan[];
  /** Names from the root to the span: `RunDistribution > sign`. */
  path(span: ReadableSpan): string;
  forget(): void;
}

/** Records every trace until the test ends. The providers are global: one recording at a time. */
export function recordedSpans(): RecordedSpans {
  const exporter = new InMemorySpanExporter();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
  onTestFinished(() => {
    trace.disable();
    context.disable();
  });
  const all = (): ReadableSpan[] => exporter.getFinishedSpans();
  const path = (span: ReadableSpan): string => {
    const id = span.parentSpanContext?.spanId;
    const parent = all().find((one) => one.spanContext().spanId === id);
    return parent === undefined ? span.name : `${path(parent)} > ${span.name}`;
  };
  return { all, path, forget: () => exporter.reset() };
}
