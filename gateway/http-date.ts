import type { Clock } from '../lib/time/clock.ts';

/** The mesh's time as a `Date` header (decision 1); phones take theirs from it. Made once a second. */
export function httpDates(clock: Clock): () => string {
  let second = Number.NaN;
  let text = '';
  return () => {
    const now = Math.floor(clock.nowMs() / 1000);
    if (now !== second) {
      second = now;
      text = new Date(now * 1000).toUTCString();
    }
    return text;
  };
}
