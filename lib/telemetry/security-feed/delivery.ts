import type { Segment, SegmentBuffer } from './buffer.ts';
import type { Collector, CollectorAnswer } from './collector.ts';

const maxLines = 500;
/** So often lines are offered again before it is found out which of them the collector will not have. */
const maxTries = 5;

export interface DeliveryOptions {
  readonly buffer: SegmentBuffer;
  readonly collector: Collector;
  /** Told of a line that the collector will never have. */
  readonly setAside: (line: string) => void;
  /** After each segment that has gone. */
  readonly onSpace: () => void;
}

/** Sends segment after segment, in order, and removes each when the collector has said that it has all of it. */
export class Delivery {
  readonly #options: DeliveryOptions;
  #begun: { readonly segment: Segment; sent: number } | undefined;
  #refusals = 0;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Resolves with undefined when all has gone, else with the answer that stopped it. */
  async run(): Promise<CollectorAnswer | undefined> {
    const { buffer, onSpace } = this.#options;
    for (let segment = buffer.oldest(); segment !== undefined; segment = buffer.oldest()) {
      if (this.#begun?.segment !== segment) this.#begun = { segment, sent: 0 };
      const stopped = await this.#send(this.#begun, buffer.read(segment));
      if (stopped !== undefined) return stopped;
      buffer.remove(segment);
      onSpace();
    }
    return undefined;
  }

  async #send(begun: { sent: number }, lines: readonly string[]): Promise<CollectorAnswer | undefined> {
    while (begun.sent < lines.length) {
      const part = lines.slice(begun.sent, begun.sent + maxLines);
      const answer = await this.#options.collector.post(part);
      if (answer.outcome === 'refused' && ++this.#refusals >= maxTries) {
        const stopped = await this.#sendHalves(part);
        if (stopped !== undefined) return stopped;
      } else if (answer.outcome !== 'taken') return answer;
      this.#refusals = 0;
      begun.sent += part.length;
    }
    return undefined;
  }

  /** The lines were refused together: in smaller and smaller parts, until the one at fault stands alone. */
  async #sendHalves(lines: readonly string[]): Promise<CollectorAnswer | undefined> {
    const [only, ...others] = lines;
    if (only === undefined) return undefined;
    if (others.length === 0) {
      this.#options.setAside(only);
      return undefined;
    }
    const middle = Math.ceil(lines.length / 2);
    for (const half of [lines.slice(0, middle), lines.slice(middle)]) {
      const answer = await this.#options.collector.post(half);
      if (answer.outcome === 'unavailable') return answer;
      const stopped = answer.outcome === 'refused' ? await this.#sendHalves(half) : undefined;
      if (stopped !== undefined) return stopped;
    }
    return undefined;
  }
}
