import type { Clock } from './clock.ts';

/** Answers true for a key at most once in `ms` milliseconds: for events of which one tells as much as many. */
export function atMostEvery(clock: Pick<Clock, 'monotonicMs'>, ms: number): (key: string) => boolean {
  const lastMs = new Map<string, number>();
  return (key) => {
    const nowMs = clock.monotonicMs();
    if (nowMs - (lastMs.get(key) ?? Number.NEGATIVE_INFINITY) < ms) return false;
    lastMs.set(key, nowMs);
    return true;
  };
}
