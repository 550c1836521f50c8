/**
 * How small groups are kept from being seen: partner by outcome, partner by reason, kind of result, reason of refusal.
 *
 * A figure in steps of `s` is told for an hour only when it is 5 s or more; what is less, 0 among it, is hidden and may
 * be 0, s, 2 s, 3 s or 4 s. Of a day the hidden hours are told as one group with the others, but only when that group
 * is itself 5 s or more and leaves every hour of it all five values open: with k hidden hours that add up to R, the
 * others can make up for any value of one hour exactly if 4 s ≤ R ≤ (k − 1) 4 s. Else the day tells what its told hours
 * add up to, as a lower bound.
 *
 * Why no two ranges can be subtracted to show a hidden figure: ranges are widened to whole hours or days, only those that
 * are over are told, and every answer, whatever its range, is made of told hours and told days alone. So all that can
 * ever be learned, by however many questions, at whatever times, is this table of hours and days. Days do not share
 * hours, so their sums cannot be combined; and within a day, whatever value from 0 to 4 s one puts for one hidden hour,
 * the others can be chosen so that the table stays the same. `small-groups.test.ts` does that for random tables and
 * asks random ranges of both.
 *
 * Between families (all partners together, all kinds together) nothing ties the sums but what rounding at the source
 * leaves: each figure was rounded down by itself. Sums over a family are never told, only what its told cells add up to.
 */
export interface Told {
  /** null: hidden. */
  readonly value: number | null;
  readonly suppressed: boolean;
  /** There may be more: something in it is hidden. */
  readonly atLeast: boolean;
}

const leastSteps = 5;
const hidden: Told = { value: null, suppressed: true, atLeast: false };

export const toldHour = (value: number, step: number): Told =>
  value >= leastSteps * step ? { value, suppressed: false, atLeast: false } : hidden;

export function toldDay(hours: readonly number[], step: number): Told {
  const shown = sumOf(hours.filter((value) => value >= leastSteps * step));
  const rest = restIsTold(hours, step) ? restOf(hours, step) : 0;
  if (shown + rest === 0) return hidden;
  return { value: shown + rest, suppressed: false, atLeast: rest === 0 };
}

/** Whether a day's hidden hours are told as one group. */
export function restIsTold(hours: readonly number[], step: number): boolean {
  const top = (leastSteps - 1) * step;
  const rest = restOf(hours, step);
  const count = hours.filter((value) => value < leastSteps * step).length;
  return rest >= leastSteps * step && rest <= (count - 1) * top;
}

/** What a range tells: its hours or days that are told, and nothing else. */
export function toldSum(parts: readonly Told[]): Told {
  const told = parts.filter(({ value }) => value !== null);
  if (told.length === 0) return parts.length === 0 ? { value: null, suppressed: false, atLeast: false } : hidden;
  return {
    value: sumOf(told.map(({ value }) => value ?? 0)),
    suppressed: false,
    atLeast: parts.some(({ suppressed, atLeast }) => suppressed || atLeast),
  };
}

const restOf = (hours: readonly number[], step: number): number =>
  sumOf(hours.filter((value) => value < leastSteps * step));

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);
