import { errorFields, type Log } from '../../lib/telemetry/log.ts';
import type { Clock } from '../../lib/time/clock.ts';

/** Tells of a failure behind the intake; `event` is a constant of the code. */
export type ReportTrouble = (event: string, error: unknown) => void;

/**
 * At most one line a minute for each event: a line for each failed upload would be a time-stamped real person
 * (decision 34).
 */
export function sparseLog(log: Log, clock: Clock, everyMs = 60_000): ReportTrouble {
  const lastMs = new Map<string, number>();
  return (event, error) => {
    const now = clock.monotonicMs();
    if (now - (lastMs.get(event) ?? Number.NEGATIVE_INFINITY) < everyMs) return;
    lastMs.set(event, now);
    log.warn(event, errorFields(error));
  };
}
