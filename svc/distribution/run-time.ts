import { HOUR_SECONDS, utcDayOfHour } from '../../lib/exposure/intervals.ts';

/** The one instant of a run; everything dated derives from it (D 2.1). */
export interface RunTime {
  /** The hour in progress, since 1970 UTC; never published. */
  readonly currentHour: number;
  readonly lastClosedHour: number;
  /** UTC day in progress, since 1970. */
  readonly today: number;
}

export function runTime(nowMs: number): RunTime {
  const currentHour = Math.floor(nowMs / 1000 / HOUR_SECONDS);
  return { currentHour, lastClosedHour: currentHour - 1, today: utcDayOfHour(currentHour) };
}

/** Hours that may be published: closed, and decided upon. Empty (`last` before `first`) before the first one closed. */
export interface DecidedHours {
  readonly first: number;
  readonly last: number;
}
