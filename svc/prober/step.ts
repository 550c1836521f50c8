import type { AttributesOf } from '../../lib/telemetry/catalog/catalog.ts';
import { inSpan } from '../../lib/telemetry/tracing.ts';
import { PhoneError } from '../../phone/http.ts';
import type { Deps } from './deps.ts';

export type ProbeStep = AttributesOf<'cwa.probe.steps'>['cwa.probe.step'];

/** Why a step did not hold; nothing in it comes from an answer but its status. */
export type ProbeFault = 'STATUS' | 'ANSWER' | 'SIGNATURE' | 'DEADLINE' | 'RISK' | 'REFUSED_CONFIGURATION';

/** What a step throws when the system did not do what it should. */
export class ProbeFailure extends Error {
  readonly reason: ProbeFault;
  readonly status: number | undefined;

  constructor(reason: ProbeFault, status?: number) {
    super(`the probe failed: ${reason}`);
    this.name = 'ProbeFailure';
    this.reason = reason;
    this.status = status;
  }
}

/** Ends a journey whose step has failed; it has been told already. */
export class StepFailed extends Error {
  constructor() {
    super('a step of the journey failed');
    this.name = 'StepFailed';
  }
}

/** Does one step, measured, traced and told. Throws `StepFailed` alone. */
export async function takeStep<T>(
  { clock, log, metrics, stopping }: Deps,
  step: ProbeStep,
  work: () => Promise<T>,
): Promise<T> {
  const attributes = { 'cwa.probe.step': step } as const;
  const begunMs = clock.monotonicMs();
  try {
    const value = await inSpan(`probe ${step}`, { attributes }, work);
    metrics.count('cwa.probe.steps', { ...attributes, 'cwa.outcome': 'passed' });
    metrics.record('cwa.probe.step.duration', attributes, (clock.monotonicMs() - begunMs) / 1_000);
    return value;
  } catch (error) {
    if (!stopping.aborted) {
      metrics.count('cwa.probe.steps', { ...attributes, 'cwa.outcome': 'failed' });
      log.error('probe-step-failed', { step, ...why(error) });
    }
    throw new StepFailed();
  }
}

function why(error: unknown): { reason: string; status?: number } {
  if (error instanceof ProbeFailure) {
    return { reason: error.reason, ...(error.status === undefined ? {} : { status: error.status }) };
  }
  if (error instanceof PhoneError) return { reason: error.reason };
  const { code } = error as { code?: unknown };
  return { reason: typeof code === 'string' ? code : error instanceof Error ? error.name : typeof error };
}
