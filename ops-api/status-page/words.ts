import type { Latest } from './status.ts';

const units = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const;

/** A span of time in its two largest units: `2 h 10 min`, `40 s`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const at = units.findIndex(([size]) => whole >= size);
  const [size, name] = units[at] ?? [1, 's'];
  const [smaller, smallerName] = units[at + 1] ?? [1, 's'];
  const rest = Math.floor((whole % size) / smaller);
  const first = `${Math.floor(whole / size)} ${name}`;
  // Minutes and seconds together are more than anybody wants to know.
  return size <= 60 || rest === 0 ? first : `${first} ${rest} ${smallerName}`;
}

/** When something is due, in seconds from now. */
export const due = (seconds: number): string => (seconds < 0 ? `late by ${span(-seconds)}` : `in ${span(seconds)}`);

/** Polls are a minute apart. */
const freshMs = 3 * 60_000;

/** What a level says in words; since when nothing newer is known, where that is longer than polls take. */
export function levelText({ latest, asOf }: Latest, words: (value: number) => string, now: Date): string {
  if (latest === null) return '–';
  const isFresh = asOf === null || now.getTime() - Date.parse(asOf) < freshMs;
  return isFresh ? words(latest) : `${words(latest)}, as of ${minuteText(asOf)}`;
}

/** `2026-03-02 12:04` of a moment as JSON has it. */
export const minuteText = (moment: string): string => moment.slice(0, 16).replace('T', ' ');

export const number = (value: number): string => value.toLocaleString('en-GB');

/** A count as it may be told: `–` where nothing is known, `few` where it is hidden, `≥` where parts of it are. */
export function countText(count: {
  readonly total: number | null;
  readonly suppressed?: boolean;
  readonly atLeast?: boolean;
}): string {
  if (count.suppressed) return 'few';
  if (count.total === null) return '–';
  return `${count.atLeast ? '≥ ' : ''}${number(count.total)}`;
}
