import { LRUCache } from 'lru-cache';
import type { Blob, BlobStore } from '../lib/blob/blob.ts';
import type { Cap } from '../lib/telemetry/cap.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { FailureTally } from './failure-tally.ts';

export interface DownloadsOptions {
  readonly store: Pick<BlobStore, 'get' | 'getIfChanged'>;
  readonly clock: Clock;
  readonly failures: FailureTally;
  /** Octets of object bodies kept in memory. */
  readonly cacheBytes: number;
  /** How long an index or configuration is served without asking the store, in ms. */
  readonly freshMs: number;
  /** The same for a package, which never changes but is deleted one day. */
  readonly immutableFreshMs: number;
  /** Questions to the store at one time; what comes on top is refused. */
  readonly maxFetches?: number;
  readonly fetches?: Cap;
}

/** Found objects, known absent ones, or the store could not be asked. */
export type Download = Blob | 'absent' | 'unavailable';

interface Kept {
  readonly blob: Blob | undefined;
  freshUntilMs: number;
}

export const maxFetches = 256;

/** Octets that an entry costs beside its body. */
const overhead = 1_024;

/**
 * Objects of the store by key, through memory. Each key is asked for once at a time, whoever waits for it. When the
 * store fails, what was last known of an object is served on.
 */
export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #kept: LRUCache<string, Kept>;
  readonly #fetches = new Map<string, Promise<Download>>();

  constructor(options: DownloadsOptions) {
    this.#options = options;
    this.#kept = new LRUCache({
      maxSize: options.cacheBytes,
      sizeCalculation: ({ blob }) => overhead + (blob?.body.length ?? 0),
    });
  }

  /** Answers from memory without a promise where it can: the hot path of a download. */
  get(key: string): Download | Promise<Download> {
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.freshUntilMs > this.#options.clock.monotonicMs()) return kept.blob ?? 'absent';
    const running = this.#fetches.get(key);
    if (running !== undefined) return running;
    if (this.#fetches.size >= (this.#options.maxFetches ?? maxFetches)) return kept?.blob ?? 'unavailable';
    const fetching = this.#fetch(key, kept).finally(() => this.#fetches.delete(key));
    this.#fetches.set(key, fetching);
    this.#options.fetches?.saw(this.#fetches.size);
    return fetching;
  }

  async #fetch(key: string, kept: Kept | undefined): Promise<Download> {
    const { store, clock, failures } = this.#options;
    try {
      const known = kept?.blob;
      const found = known === undefined ? await store.get(key) : await store.getIfChanged(key, known.etag);
      const blob = found === 'unchanged' ? known : found;
      this.#kept.set(key, { blob, freshUntilMs: clock.monotonicMs() + this.#freshMs(blob) });
      return blob ?? 'absent';
    } catch (error) {
      failures.add(error);
      if (kept?.blob === undefined) return 'unavailable';
      kept.freshUntilMs = clock.monotonicMs() + this.#options.freshMs;
      return kept.blob;
    }
  }

  #freshMs(blob: Blob | undefined): number {
    const immutable = blob?.cacheControl?.includes('immutable') === true;
    return immutable ? this.#options.immutableFreshMs : this.#options.freshMs;
  }
}
