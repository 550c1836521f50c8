import { errorFields, type Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { inTrace } from '../telemetry/tracing.ts';
import { unmeasuredWork } from '../telemetry/unmeasured-work.ts';
import type { Clock } from '../time/clock.ts';

export interface RepeatOptions {
  /** Constant name of the job, for the log. */
  readonly job: string;
  /** Milliseconds of real time between the end of one run and the start of the next. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Ends the repetition; a run that has begun is finished. */
  readonly signal: AbortSignal;
  /** Without trace, and its transactions are not measured: how long they took tells whether there was anything to do. */
  readonly discreet?: boolean;
}

/**
 * Runs `work` now and again until the signal is aborted; resolves then, so a graceful stop can await it. A run that
 * fails is logged and does not keep the next one from happening.
 */
export async function repeat(options: RepeatOptions, work: () => Promise<void>): Promise<void> {
  const { job, everyMs, clock, log, metrics, signal, discreet = false } = options;
  let succeededMs = clock.monotonicMs();
  metrics.observe('cwa.job.success.age', () => [
    { attributes: { 'cwa.job': job }, value: (clock.monotonicMs() - succeededMs) / 1_000 },
  ]);
  while (!signal.aborted) {
    const begunMs = clock.monotonicMs();
    try {
      await (discreet ? unmeasuredWork(work) : inTrace(`job ${job}`, { attributes: { 'cwa.job': job } }, work));
      metrics.count('cwa.job.runs', { 'cwa.job': job, 'cwa.outcome': 'done' });
      succeededMs = clock.monotonicMs();
    } catch (error) {
      log.error('job-failed', { transaction: job, ...errorFields(error) });
      metrics.count('cwa.job.runs', { 'cwa.job': job, 'cwa.outcome': 'failed' });
    }
    metrics.record('cwa.job.duration', { 'cwa.job': job }, (clock.monotonicMs() - begunMs) / 1_000);
    // Rejected by the signal alone.
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
