const hourMs = 3_600_000;

/**
 * When the next run is due, in milliseconds since 1970 UTC; in the past when it is late. With an interval, that long
 * after the last one ended; where a scheduler asks, at the first full hour after the last one began.
 */
export function nextRunDueMs(
  last: { readonly startedMs: number; readonly endedMs: number } | undefined,
  intervalSeconds: number,
  nowMs: number,
): number {
  if (intervalSeconds > 0) return last === undefined ? nowMs : last.endedMs + intervalSeconds * 1_000;
  return (Math.floor((last?.startedMs ?? nowMs) / hourMs) + 1) * hourMs;
}
