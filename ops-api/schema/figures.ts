import { definitionOf } from '../../lib/telemetry/catalog/catalog.ts';
import type { Attributes, Selection } from '../history/history.ts';
import { hourMs, minuteMs } from '../history/series.ts';
import type { OpsContext } from './context.ts';
import { restIsTold, type Told, toldDay, toldHour, toldSum } from './small-groups.ts';
import { closedWindowOf, slotsOf, stepMs, type Window } from './window.ts';

type Seen = Pick<OpsContext, 'history' | 'clock'>;

interface Point {
  readonly at: Date;
  readonly value: number | null;
  readonly suppressed: boolean;
}

/** What the type `Count` of the schema shows. */
export interface Count {
  readonly total: number | null;
  readonly suppressed: boolean;
  readonly atLeast: boolean;
  readonly window: Window;
  readonly points: readonly Point[];
}

/** What the type `Level` shows. */
export interface Level {
  readonly latest: number | null;
  readonly asOf: Date | null;
  readonly window: Window;
  readonly points: readonly Point[];
}

/** How much a counter grew over the window; slots in which its process told nothing are null. */
export function count(seen: Seen, window: Window, selection: Selection): Count {
  const points = pointsOf(seen, window, selection, (values) => values.reduce((sum, value) => sum + value, 0));
  const known = points.filter(({ value }) => value !== null);
  const total = known.length === 0 ? null : known.reduce((sum, { value }) => sum + (value ?? 0), 0);
  return { total, suppressed: false, atLeast: false, window, points };
}

/** A gauge over the window: the highest value of each slot, and the last that is known. */
export function level(seen: Seen, window: Window, selection: Selection): Level {
  const points = pointsOf(seen, window, selection, (values) => Math.max(...values));
  return { ...latestOf(seen, window, selection, points), window, points };
}

/** Of the last slot that has a value its last minute: a slot has its highest, which may long be over. */
function latestOf(seen: Seen, window: Window, selection: Selection, points: readonly Point[]) {
  const last = points.findLast(({ value }) => value !== null);
  if (last === undefined) return { latest: null, asOf: null };
  const first = last.at.getTime() / minuteMs;
  const minutes = seen.history.read(selection, 'minute', first, stepMs[window.resolution] / minuteMs);
  const at = minutes.findLastIndex((value) => !Number.isNaN(value));
  // Minutes are kept for two days alone.
  if (at < 0) return { latest: last.value, asOf: last.at };
  return { latest: tidy(minutes[at] ?? Number.NaN), asOf: new Date((first + at) * minuteMs) };
}

function pointsOf(seen: Seen, window: Window, selection: Selection, merge: (values: number[]) => number): Point[] {
  const fine = stepMs[window.resolution] < hourMs;
  const [unit, unitMs] = fine ? (['minute', minuteMs] as const) : (['hour', hourMs] as const);
  const each = stepMs[window.resolution] / unitMs;
  const slots = slotsOf(window);
  const values = seen.history.read(selection, unit, window.fromMs / unitMs, slots.length * each);
  return slots.map((at, slot) => {
    const known = values.slice(slot * each, (slot + 1) * each).filter((value) => !Number.isNaN(value));
    return { at: new Date(at), value: known.length === 0 ? null : tidy(merge(known)), suppressed: false };
  });
}

/** The same for a small group, under the rule of `small-groups.ts`: whole hours or days that are over. */
export function guardedCount(seen: Seen, window: Window, selection: Selection): Count {
  const closed = closedWindowOf(window, seen.clock.nowMs());
  const { step } = definitionOf(selection.metric);
  const parts = slotsOf(closed).map((at): Told => {
    const hours = hoursOf(seen, selection, at, closed);
    return closed.resolution === 'DAY' ? toldDay(hours, step) : toldHour(hours[0] ?? 0, step);
  });
  const { value, suppressed, atLeast } = toldSum(parts);
  const points = slotsOf(closed).map((at, slot) => ({
    at: new Date(at),
    value: parts[slot]?.value ?? null,
    suppressed: parts[slot]?.suppressed ?? true,
  }));
  return { total: value, suppressed, atLeast, window: closed, points };
}

/**
 * Percentiles of a small group's histogram, each as the upper bound of the bucket it falls into; undefined where nothing
 * may be told. Made of the same hours as the counts that are told.
 */
export function guardedPercentiles(seen: Seen, window: Window, selection: Selection, shares: readonly number[]) {
  const { step, bounds = [] } = definitionOf(selection.metric);
  const closed = closedWindowOf(window, seen.clock.nowMs());
  const upTo = (le: number): Selection => ({ ...selection, where: { ...selection.where, le: String(le) } });
  const sums = [...bounds, Number.POSITIVE_INFINITY].map(() => 0);
  for (const at of slotsOf(closed)) {
    const whole = hoursOf(seen, upTo(bounds.length), at, closed);
    const withRest = closed.resolution === 'DAY' && restIsTold(whole, step);
    const told = whole.map((value) => withRest || toldHour(value, step).value !== null);
    sums.forEach((sum, le) => {
      const hours = hoursOf(seen, upTo(le), at, closed).filter((_, hour) => told[hour]);
      sums[le] = hours.reduce((all, value) => all + value, sum);
    });
  }
  return percentilesOf(sums, bounds, shares);
}

/** `sums`: how many values there were up to each bound, and in all. */
function percentilesOf(sums: readonly number[], bounds: readonly number[], shares: readonly number[]) {
  const total = sums.at(-1) ?? 0;
  if (total === 0) return undefined;
  // What is above the last bound is told as the last bound.
  return shares.map((share) => bounds[sums.findIndex((upTo) => upTo >= share * total)] ?? bounds.at(-1) ?? 0);
}

function hoursOf(seen: Seen, selection: Selection, atMs: number, { resolution }: Window): number[] {
  const hours = seen.history.read(selection, 'hour', atMs / hourMs, stepMs[resolution] / hourMs);
  return hours.map((value) => (Number.isNaN(value) ? 0 : value));
}

/** The values of an attribute that are known for the selection, in order. */
export function valuesOf({ history }: Seen, selection: Selection, attribute: string): readonly string[] {
  const values = history.attributesOf(selection).map((attributes: Attributes) => attributes[attribute] ?? '');
  return [...new Set(values)].sort();
}

export const tidy = (value: number): number => Number(value.toPrecision(7));

/** One count for each value of the attribute: those of the catalog, or of an open attribute those that were told. */
export function namedCounts(seen: Seen, window: Window, selection: Selection, attribute: string, of = count) {
  const values = definitionOf(selection.metric).attributes[attribute];
  const names = values === undefined || values === 'open' ? valuesOf(seen, selection, attribute) : values;
  return names.map((name) => ({
    name,
    count: of(seen, window, { ...selection, where: { ...selection.where, [attribute]: name } }),
  }));
}

export function namedLevels(seen: Seen, window: Window, selection: Selection, attribute: string) {
  return valuesOf(seen, selection, attribute).map((name) => ({
    name,
    level: level(seen, window, { ...selection, where: { ...selection.where, [attribute]: name } }),
  }));
}
