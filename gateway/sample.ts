import type { Random } from '../lib/random/random.ts';

/** The last `capacity` small numbers, to draw from; draws 0 while nothing was added. */
export class Sample {
  readonly #values: Uint16Array;
  #next = 0;
  #size = 0;
  #positive = 0;

  constructor(capacity: number) {
    this.#values = new Uint16Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** How many of the numbers are above 0. */
  get positive(): number {
    return this.#positive;
  }

  add(value: number): void {
    if (this.#size === this.#values.length) this.#positive -= this.#values[this.#next] ? 1 : 0;
    else this.#size++;
    this.#values[this.#next] = value;
    this.#positive += value > 0 ? 1 : 0;
    this.#next = (this.#next + 1) % this.#values.length;
  }

  draw(random: Random): number {
    return this.#size === 0 ? 0 : (this.#values[random.int(this.#size)] ?? 0);
  }
}
