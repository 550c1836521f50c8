import { setTimeout as delay } from 'node:timers/promises';

/** The only source of time. Handed in, so that a test or the local mesh can decide what time it is. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  nowMs(): number;
  now(): Date;
  /** Milliseconds of a clock that never jumps: for durations, deadlines and schedules. */
  monotonicMs(): number;
  /** Resolves after `ms` of real time; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal ? { signal } : {});
  },
};

/** A clock that runs with `base` but is moved by `offsetMs()`; durations are not moved. */
export function shiftedClock(base: Clock, offsetMs: () => number): Clock {
  return {
    ...base,
    nowMs: () => base.nowMs() + offsetMs(),
    now: () => new Date(base.nowMs() + offsetMs()),
  };
}
