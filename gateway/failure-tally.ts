import { errorFields, type Log } from '../lib/telemetry/log.ts';

/** Failures behind phone routes, told once a minute. */
export interface FailureTally {
  add(error: unknown): void;
  /** Tells what is left. */
  close(): void;
}

/**
 * A line for each failure would be a time-stamped real person, since fakes cannot fail (decision 34). So failures are
 * counted by kind, and a minute's are told together, their number rounded up to a multiple of 5.
 */
export function failureTally(log: Log, event: string, everyMs = 60_000): FailureTally {
  const kinds = new Map<string, { error: unknown; count: number }>();
  const tell = (): void => {
    for (const { error, count } of kinds.values()) {
      log.error(event, { ...errorFields(error), count: Math.ceil(count / 5) * 5 });
    }
    kinds.clear();
  };
  const timer = setInterval(tell, everyMs).unref();
  return {
    add: (error) => {
      const { errorName = '', errorCode = '' } = errorFields(error);
      const kind = kinds.get(`${errorName} ${errorCode}`);
      if (kind === undefined) kinds.set(`${errorName} ${errorCode}`, { error, count: 1 });
      else kind.count++;
    },
    close: () => {
      clearInterval(timer);
      tell();
    },
  };
}
