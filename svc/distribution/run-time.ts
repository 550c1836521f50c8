import { HOUR_SECONDS, utcDayOfHour } from '../../lib/exposure/intervals.ts';

/** The one instant of a run; everything dated derives from it (D 2.1). */
export interface RunTime {
  /** The hour in progress, since 1970 UTC; never published. */
  readonly currentHour: number;
  readonly lastClosedHour: number;
  /** UTC day in progress, since 1970; never one before the day that the next undecided hour belongs to. */
  readonly today: number;
}

/**
 * `lastAssignedHour`: the newest hour that is decided upon. A clock that was set back over midnight since then does not
 * bring yesterday back: what was deleted meanwhile would be built anew, and indexes would lose a day.
 */
export function runTime(nowMs: number, lastAssignedHour: number | null): RunTime {
  const currentHour = Math.floor(nowMs / 1000 / HOUR_SECONDS);
  const nextHour = (lastAssignedHour ?? currentHour - 1) + 1;
  return { currentHour, lastClosedHour: currentHour - 1, today: utcDayOfHour(Math.max(currentHour, nextHour)) };
}

/** Hours that may be published: closed, and decided upon. Empty (`last` before `first`) before the first one closed. */
export interface DecidedHours {
  readonly first: number;
  readonly last: number;
}
