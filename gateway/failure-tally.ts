import { gatheredLog } from '../lib/telemetry/gathered-log.ts';
import { errorFields, type Log } from '../lib/telemetry/log.ts';

/** Failures behind phone routes, told once a minute. */
export interface FailureTally {
  add(error: unknown): void;
  /** Tells what is left. */
  close(): void;
}

/** Counts failures by kind and tells of them under the name `event`, never one by one. */
export function failureTally(log: Log, event: string, everyMs?: number): FailureTally {
  const gathered = gatheredLog(log, everyMs);
  return { add: (error) => gathered.error(event, errorFields(error)), close: () => gathered.close() };
}
