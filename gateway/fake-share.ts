import type { Clock } from '../lib/time/clock.ts';

const hourMs = 3_600_000;
/** Fewer requests would say too much about each of them. */
const leastRequests = 1_000;

interface Hour {
  readonly hour: number;
  fakes: number;
  all: number;
}

/**
 * Share of fakes among the phone requests of the last full hour. Two numbers an hour are kept and nothing of any
 * request; which of them was fake is forgotten as it is counted.
 */
export class FakeShare {
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** The hour in which the process started is not full. */
  readonly #firstHour: number;
  #current: Hour;
  #last: Hour | undefined;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
    this.#firstHour = hourOf(clock);
    this.#current = { hour: this.#firstHour, fakes: 0, all: 0 };
  }

  /** One request that was not shed; call it when the answer has left, so that it costs no answer anything. */
  add(fake: boolean): void {
    this.#turn();
    this.#current.all++;
    if (fake) this.#current.fakes++;
  }

  /** 0 to 1; undefined while there were too few, or no hour is full yet. */
  value(): number | undefined {
    this.#turn();
    const last = this.#last;
    if (last === undefined || last.hour === this.#firstHour || last.all < leastRequests) return undefined;
    return last.fakes / last.all;
  }

  #turn(): void {
    const hour = hourOf(this.#clock);
    if (hour === this.#current.hour) return;
    this.#last = this.#current.hour === hour - 1 ? this.#current : undefined;
    this.#current = { hour, fakes: 0, all: 0 };
  }
}

const hourOf = (clock: Pick<Clock, 'nowMs'>): number => Math.floor(clock.nowMs() / hourMs);
