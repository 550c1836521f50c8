import { RPI_OCTETS } from './crypto.ts';

/** One received packet (P M-1). */
export interface Sighting {
  rpi: Buffer;
  aem: Buffer;
  /** dBm, signed. */
  rssi: number;
  epochSeconds: number;
  /** Time of the scan before this one; 0 means unknown. */
  previousScanEpochSeconds: number;
}

/**
 * Sightings by identifier. Asking for an identifier that was never seen costs a look at its first four octets
 * only: of the millions of identifiers of a download hardly any was seen (P M-4).
 */
export class SightingIndex {
  readonly #prefixes = new Set<number>();
  readonly #byRpi = new Map<string, Sighting[]>();

  constructor(sightings: Iterable<Sighting> = []) {
    for (const sighting of sightings) this.add(sighting);
  }

  add(sighting: Sighting): void {
    // Nothing but a whole identifier can match.
    if (sighting.rpi.length !== RPI_OCTETS) return;
    const id = sighting.rpi.toString('latin1');
    const others = this.#byRpi.get(id);
    if (others === undefined) this.#byRpi.set(id, [sighting]);
    else others.push(sighting);
    this.#prefixes.add(sighting.rpi.readUInt32LE(0));
  }

  /** The sightings of the identifier that starts at `offset`, in the order they were fed in. */
  find(identifiers: Buffer, offset: number): readonly Sighting[] {
    if (!this.#prefixes.has(identifiers.readUInt32LE(offset))) return [];
    return this.#byRpi.get(identifiers.toString('latin1', offset, offset + RPI_OCTETS)) ?? [];
  }

  get isEmpty(): boolean {
    return this.#byRpi.size === 0;
  }

  *all(): Generator<Sighting> {
    for (const sightings of this.#byRpi.values()) yield* sightings;
  }
}
