import {
  type Context,
  context,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
  TraceFlags,
} from '@opentelemetry/api';
import type { SpanAttributes } from './attributes.ts';

/** A span in progress; what is learned on the way is added to it. */
export interface Traced {
  set(attributes: SpanAttributes): void;
}

export interface SpanOptions {
  readonly kind?: keyof typeof kinds;
  readonly attributes?: SpanAttributes;
}

const kinds = { internal: SpanKind.INTERNAL, server: SpanKind.SERVER, client: SpanKind.CLIENT };
const untraced: Traced = { set() {} };
const tracer = (): Tracer => trace.getTracer('cwa');

/**
 * Begins a trace of its own, whatever is around it. Only for work that no phone caused: labs, jobs, operators and
 * requests of the prober (decision 34). Names are constants of the code.
 */
export function inTrace<T>(name: string, options: SpanOptions, work: (span: Traced) => Promise<T>): Promise<T> {
  return run(ROOT_CONTEXT, name, options, work);
}

/** A span inside the trace in progress; without one, just the work. */
export function inSpan<T>(name: string, options: SpanOptions, work: (span: Traced) => Promise<T>): Promise<T> {
  return isTraced() ? run(context.active(), name, options, work) : work(untraced);
}

/** Does the work outside any trace: for what may serve many, such as requests that were gathered. */
export const untracedWork = <T>(work: () => T): T => context.with(ROOT_CONTEXT, work);

/** Whether a recorded trace is in progress. Cheap: nothing is looked up where nobody traces. */
export function isTraced(): boolean {
  const span = trace.getSpan(context.active());
  return span !== undefined && (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** W3C trace context of the trace in progress, for the next process; undefined without one. */
export function traceParent(): string | undefined {
  const span = trace.getSpan(context.active());
  if (span === undefined) return undefined;
  const { traceId, spanId, traceFlags } = span.spanContext();
  if ((traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return `00-${traceId}-${spanId}-01`;
}

const traceParentPattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/;

/** Continues the trace of a caller of the mesh; without a valid header, just the work. */
export function continueTrace<T>(header: string | undefined, work: () => T): T {
  const [, traceId = '', spanId = ''] = traceParentPattern.exec(header ?? '') ?? [];
  const parent = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return isSpanContextValid(parent) ? context.with(trace.setSpanContext(ROOT_CONTEXT, parent), work) : work();
}

async function run<T>(
  parent: Context,
  name: string,
  { kind = 'internal', attributes = {} }: SpanOptions,
  work: (span: Traced) => Promise<T>,
): Promise<T> {
  const span = tracer().startSpan(name, { kind: kinds[kind], attributes: { ...attributes } }, parent);
  try {
    return await context.with(trace.setSpan(parent, span), () => work(handle(span)));
  } catch (error) {
    // Its kind alone: a message may hold data.
    span.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

const handle = (span: Span): Traced => ({ set: (attributes) => void span.setAttributes({ ...attributes }) });
