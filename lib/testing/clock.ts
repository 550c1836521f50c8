import type { Clock } from '../time/clock.ts';

export interface FakeClock extends Clock {
  set(time: string | number | Date): void;
  advance(ms: number): void;
}

/** A clock that stands still until it is moved; `sleep` returns when it was moved far enough. */
export function fakeClock(start: string | number | Date): FakeClock {
  let now = new Date(start).getTime();
  let monotonic = 0;
  let sleepers: { at: number; wake: () => void }[] = [];
  const move = (ms: number) => {
    now += ms;
    monotonic += Math.max(0, ms);
    const due = sleepers.filter((sleeper) => sleeper.at <= monotonic);
    sleepers = sleepers.filter((sleeper) => sleeper.at > monotonic);
    for (const sleeper of due) sleeper.wake();
  };
  return {
    nowMs: () => now,
    now: () => new Date(now),
    monotonicMs: () => monotonic,
    sleep: (ms, signal) =>
      new Promise((wake, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
        if (ms <= 0) wake();
        else sleepers.push({ at: monotonic + ms, wake });
      }),
    set: (time) => move(new Date(time).getTime() - now),
    advance: move,
  };
}
