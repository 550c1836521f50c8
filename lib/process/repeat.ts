import { errorFields, type Log } from '../telemetry/log.ts';
import type { Clock } from '../time/clock.ts';

export interface RepeatOptions {
  /** Constant name of the job, for the log. */
  readonly job: string;
  /** Milliseconds of real time between the end of one run and the start of the next. */
  readonly everyMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends the repetition; a run that has begun is finished. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` now and again until the signal is aborted; resolves then, so a graceful stop can await it. A run that
 * fails is logged and does not keep the next one from happening.
 */
export async function repeat(options: RepeatOptions, work: () => Promise<void>): Promise<void> {
  const { job, everyMs, clock, log, signal } = options;
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      log.error('job-failed', { transaction: job, ...errorFields(error) });
    }
    // Rejected by the signal alone.
    await clock.sleep(everyMs, signal).catch(() => {});
  }
}
