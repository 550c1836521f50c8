import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { allowedSpanAttributes } from './attributes.ts';

/**
 * Lets nothing through but what the allow-list names: no events, no links, no message of a status. A cast, or a library
 * that makes spans of its own, cannot leak a value (architecture section 6, rule 2).
 */
export function allowListExporter(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) => exporter.export(spans.map(withAllowedOnly), done),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
  };
}

function withAllowedOnly(span: ReadableSpan): ReadableSpan {
  const attributes = Object.fromEntries(
    Object.entries(span.attributes).filter(([name]) => allowedSpanAttributes.has(name)),
  );
  // Getters of the original stay reachable through the prototype.
  return Object.create(span, {
    attributes: { value: attributes },
    events: { value: [] },
    links: { value: [] },
    status: { value: { code: span.status.code } },
  }) as ReadableSpan;
}
