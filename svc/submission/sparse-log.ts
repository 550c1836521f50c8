import { errorFields, type Log } from '../../lib/telemetry/log.ts';
import { atMostEvery } from '../../lib/time/at-most-every.ts';
import type { Clock } from '../../lib/time/clock.ts';

/** Tells of a failure behind the intake; `event` is a constant of the code. */
export type ReportTrouble = (event: string, error: unknown) => void;

/**
 * At most one line a minute for each event: a line for each failed upload would be a time-stamped real person
 * (decision 34).
 */
export function sparseLog(log: Log, clock: Clock, everyMs = 60_000): ReportTrouble {
  const due = atMostEvery(clock, everyMs);
  return (event, error) => {
    if (due(event)) log.warn(event, errorFields(error));
  };
}
