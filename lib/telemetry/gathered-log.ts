import type { Log, LogFields } from './log.ts';

export interface GatheredLog extends Log {
  /** Tells what is left. */
  close(): void;
}

interface Kind {
  readonly level: 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
  count: number;
}

/**
 * For failures of what phones ask. A line for each would be a time-stamped real person, since fakes cannot fail, and so
 * would be the first of many (decision 34). So those alike are told together when the minute is over, their number
 * rounded up to a multiple of 5. `everyMs`: 0 tells each at once, for tests.
 */
export function gatheredLog(log: Log, everyMs = 60_000): GatheredLog {
  const kinds = new Map<string, Kind>();
  const tell = (): void => {
    for (const { level, event, fields, count } of kinds.values()) {
      log[level](event, { ...fields, count: Math.ceil(count / 5) * 5 });
    }
    kinds.clear();
  };
  const gather =
    (level: Kind['level']) =>
    (event: string, fields: LogFields = {}): void => {
      const { stack: _place, count: _own, ...telling } = fields;
      const key = JSON.stringify([level, event, telling]);
      const kind = kinds.get(key);
      if (kind === undefined) kinds.set(key, { level, event, fields, count: 1 });
      else kind.count++;
      if (everyMs === 0) tell();
    };
  const timer = everyMs === 0 ? undefined : setInterval(tell, everyMs).unref();
  return {
    ...log,
    warn: gather('warn'),
    error: gather('error'),
    close() {
      clearInterval(timer);
      tell();
    },
  };
}
