import { hourMs, hourSlots, minuteMs, minuteSlots } from '../history/series.ts';
import { refusal } from './refusal.ts';

export type Resolution = 'MINUTE' | 'FIVE_MINUTES' | 'HOUR' | 'DAY';

export interface RangeInput {
  readonly from?: Date | null;
  readonly to?: Date | null;
  readonly resolution?: Resolution | null;
}

/** Whole slots of one resolution, in UTC. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
  readonly resolution: Resolution;
  /** More than was asked for, or coarser. */
  readonly widened: boolean;
}

export const stepMs: Readonly<Record<Resolution, number>> = {
  MINUTE: minuteMs,
  FIVE_MINUTES: 5 * minuteMs,
  HOUR: hourMs,
  DAY: 24 * hourMs,
};
const coarser: Readonly<Partial<Record<Resolution, Resolution>>> = {
  MINUTE: 'FIVE_MINUTES',
  FIVE_MINUTES: 'HOUR',
  HOUR: 'DAY',
};
const maxPoints = 1_000;

/**
 * The asked range in whole slots. Default: the last 24 hours by the hour. Coarser than asked where it would be more than
 * 1,000 points or is no longer kept (minutes 48 hours, hours 40 days). Throws BAD_RANGE.
 */
export function windowOf(range: RangeInput | null | undefined, nowMs: number): Window {
  const askedTo = Math.min(range?.to?.getTime() ?? nowMs, nowMs);
  const askedFrom = range?.from?.getTime() ?? askedTo - 24 * hourMs;
  if (!(askedFrom < askedTo)) throw refusal('BAD_RANGE');
  const oldest = nowMs - hourSlots * hourMs;
  if (askedTo < oldest) throw refusal('BAD_RANGE');
  const from = Math.max(askedFrom, oldest);
  let resolution = range?.resolution ?? 'HOUR';
  const isFine = () => stepMs[resolution] < hourMs;
  while (
    (askedTo - from) / stepMs[resolution] > maxPoints ||
    (isFine() && from < nowMs - (minuteSlots - 5) * minuteMs)
  ) {
    resolution = coarser[resolution] ?? 'DAY';
  }
  const step = stepMs[resolution];
  const fromMs = Math.floor(from / step) * step;
  const toMs = Math.ceil(askedTo / step) * step;
  return {
    fromMs,
    toMs,
    resolution,
    widened: fromMs < askedFrom || toMs > askedTo || resolution !== (range?.resolution ?? 'HOUR'),
  };
}

/** Where small groups are told: whole hours or days that are over, so that what was told once never changes. */
export function closedWindowOf(window: Window, nowMs: number): Window {
  const resolution = window.resolution === 'DAY' ? 'DAY' : 'HOUR';
  const step = stepMs[resolution];
  const fromMs = Math.floor(window.fromMs / step) * step;
  const toMs = Math.max(fromMs, Math.min(Math.ceil(window.toMs / step) * step, Math.floor(nowMs / step) * step));
  return { fromMs, toMs, resolution, widened: window.widened || fromMs !== window.fromMs || toMs !== window.toMs };
}

/** Start of each slot, in ms since 1970 UTC. */
export const slotsOf = ({ fromMs, toMs, resolution }: Window): number[] =>
  Array.from({ length: Math.round((toMs - fromMs) / stepMs[resolution]) }, (_, at) => fromMs + at * stepMs[resolution]);
