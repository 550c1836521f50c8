import { HOUR_SECONDS, keyEndSeconds } from '../../lib/exposure/intervals.ts';

/**
 * The first hour whose package may hold a key (decision 23): the smallest H ≥ submission hour with (H+1):00 at least
 * `expiryMinutes` after the end of the key, because package H is published after (H+1):00. Hours since 1970 UTC.
 */
export function releaseHour(
  key: { rollingStartIntervalNumber: number; rollingPeriod: number },
  submissionHour: number,
  expiryMinutes: number,
): number {
  const safeAt = keyEndSeconds(key.rollingStartIntervalNumber, key.rollingPeriod) + expiryMinutes * 60;
  return Math.max(submissionHour, Math.ceil(safeAt / HOUR_SECONDS) - 1);
}
