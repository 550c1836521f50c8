import type { Random } from '../lib/random/random.ts';

const HOUR_SECONDS = 3600;
const RETRY_FIRST_MS = 8 * 60_000;
const RETRY_LONGEST_MS = 5 * 3_600_000;

/**
 * Seconds until the next download (P D-1): to the start of the next interval, and then anywhere in it, so that
 * millions of phones do not come at once. Exactly on the border the next interval is meant.
 */
export function nextDownloadDelaySeconds(
  epochSeconds: number,
  random: Pick<Random, 'int'>,
  intervalSeconds: number = HOUR_SECONDS,
): number {
  return intervalSeconds - (Math.floor(epochSeconds) % intervalSeconds) + random.int(intervalSeconds);
}

/** Wait before the retry after `failures` failures in a row (from 1 on): doubling, capped, jittered (P D-7). */
export function retryDelayMs(failures: number, random: Pick<Random, 'int'>): number {
  const base = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** Math.max(0, failures - 1));
  return Math.floor(base * (0.5 + random.int(1_000_000) / 1_000_000));
}

/** When the next attempt is due: a retry never cancels the regular slot (P D-7). Times in milliseconds. */
export function nextAttemptMs(regularSlotMs: number, retryMs: number | undefined): number {
  return retryMs === undefined ? regularSlotMs : Math.min(regularSlotMs, retryMs);
}

/** Detections a day from the configuration, 0 to 6; anything else counts as 6 (P D-8). */
export function detectionsPerDay(configured: number | undefined): number {
  return configured !== undefined && Number.isInteger(configured) && configured >= 0 && configured <= 6
    ? configured
    : 6;
}

export type DetectionDecision = 'RUN' | 'SWITCHED_OFF' | 'CLOCK' | 'TOO_SOON' | 'NOTHING_NEW';

/** Whether a detection may run now (P D-8, D-9). Times in seconds. */
export function decideDetection(input: {
  nowSeconds: number;
  perDay: number;
  clockOffsetSeconds: number | undefined;
  lastStartedSeconds: number | undefined;
  lastSucceededSeconds: number | undefined;
  hasNewFiles: boolean;
}): DetectionDecision {
  if (input.perDay === 0) return 'SWITCHED_OFF';
  if (isClockWrong(input.clockOffsetSeconds)) return 'CLOCK';
  const started = input.lastStartedSeconds;
  const sinceStart = started === undefined ? Number.POSITIVE_INFINITY : input.nowSeconds - started;
  // A start more than an hour in the future was written by a wrong clock and does not count.
  if (sinceStart >= -HOUR_SECONDS && sinceStart < Math.floor(24 / input.perDay) * HOUR_SECONDS) return 'TOO_SOON';
  const sinceSuccess =
    input.lastSucceededSeconds === undefined ? Number.POSITIVE_INFINITY : input.nowSeconds - input.lastSucceededSeconds;
  if (!input.hasNewFiles && sinceSuccess < 24 * HOUR_SECONDS) return 'NOTHING_NEW';
  return 'RUN';
}

/** Device time differs from server time by two hours or more (P D-9). */
export function isClockWrong(offsetSeconds: number | undefined): boolean {
  return Math.abs(offsetSeconds ?? 0) >= 2 * HOUR_SECONDS;
}

export interface Timeouts {
  downloadSeconds: number;
  sessionSeconds: number;
  detectionSeconds: number;
}

/** Limits from the configuration, or the defaults where it says something out of range (P D-10). */
export function timeouts(configured: { download?: number; session?: number; detection?: number }): Timeouts {
  const within = (value: number | undefined, max: number, otherwise: number): number =>
    value !== undefined && value >= 1 && value <= max ? value : otherwise;
  return {
    downloadSeconds: within(configured.download, 1800, 60),
    sessionSeconds: within(configured.session, 1800, 480),
    detectionSeconds: within(configured.detection, 3600, 900),
  };
}
