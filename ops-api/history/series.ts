export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
/** 48 hours of minutes and 40 days of hours. */
export const minuteSlots = 48 * 60;
export const hourSlots = 40 * 24;

export type SeriesKind = 'counter' | 'gauge';

/**
 * One value over time: a ring of minutes and one of hours. Of a counter a slot holds what was added in it; of a gauge
 * the highest value seen in it, NaN where none was. 4 bytes a slot: counts are exact up to 16 million a slot.
 */
export class Series {
  readonly kind: SeriesKind;
  readonly #minutes: Float32Array;
  readonly #hours: Float32Array;
  #headMinute: number;

  constructor(kind: SeriesKind, headMinute: number) {
    this.kind = kind;
    const empty = kind === 'counter' ? 0 : Number.NaN;
    this.#minutes = new Float32Array(minuteSlots).fill(empty);
    this.#hours = new Float32Array(hourSlots).fill(empty);
    this.#headMinute = headMinute;
  }

  /** Adds to the minute, which is that of the last call or a later one. */
  add(minute: number, value: number): void {
    this.#advance(minute);
    this.#put(this.#minutes, minute % minuteSlots, value);
    this.#put(this.#hours, Math.floor(minute / 60) % hourSlots, value);
  }

  /** Values of `count` slots from `first` on, counted since 1970 in minutes or hours; NaN for what is not kept. */
  read(unit: 'minute' | 'hour', first: number, count: number): number[] {
    const [ring, head] =
      unit === 'minute' ? [this.#minutes, this.#headMinute] : [this.#hours, Math.floor(this.#headMinute / 60)];
    const empty = this.kind === 'counter' ? 0 : Number.NaN;
    return Array.from({ length: count }, (_, at) => {
      const slot = first + at;
      if (slot > head) return empty;
      return slot <= head - ring.length ? Number.NaN : rounded(ring[slot % ring.length] ?? empty);
    });
  }

  /** Pairs of slot and value, without what is empty: for the file. */
  sparse(unit: 'minute' | 'hour'): number[] {
    const slots = unit === 'minute' ? minuteSlots : hourSlots;
    const first = (unit === 'minute' ? this.#headMinute : Math.floor(this.#headMinute / 60)) - slots + 1;
    return this.read(unit, first, slots).flatMap((value, at) =>
      Number.isNaN(value) || (value === 0 && this.kind === 'counter') ? [] : [first + at, value],
    );
  }

  /** The opposite of `sparse`, into an empty series. */
  restore(unit: 'minute' | 'hour', pairs: readonly number[]): void {
    const [ring, head] =
      unit === 'minute' ? [this.#minutes, this.#headMinute] : [this.#hours, Math.floor(this.#headMinute / 60)];
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      const [slot = 0, value = 0] = [pairs[at], pairs[at + 1]];
      if (slot <= head && slot > head - ring.length) ring[slot % ring.length] = value;
    }
  }

  get headMinute(): number {
    return this.#headMinute;
  }

  #put(ring: Float32Array, at: number, value: number): void {
    const before = ring[at] ?? Number.NaN;
    ring[at] = this.kind === 'counter' ? before + value : Number.isNaN(before) ? value : Math.max(before, value);
  }

  /** Empties the slots that time has passed since the last value. */
  #advance(minute: number): void {
    if (minute <= this.#headMinute) return;
    const empty = this.kind === 'counter' ? 0 : Number.NaN;
    clear(this.#minutes, this.#headMinute, minute, empty);
    clear(this.#hours, Math.floor(this.#headMinute / 60), Math.floor(minute / 60), empty);
    this.#headMinute = minute;
  }
}

function clear(ring: Float32Array, after: number, upTo: number, empty: number): void {
  if (upTo - after >= ring.length) ring.fill(empty);
  else for (let slot = after + 1; slot <= upTo; slot++) ring[slot % ring.length] = empty;
}

/** Without the noise of 4-byte fractions. */
const rounded = (value: number): number => Number(value.toPrecision(7));
