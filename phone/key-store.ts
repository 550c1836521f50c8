import {
  dayStartInterval,
  INTERVALS_PER_DAY,
  intervalNumber,
  utcDay,
  utcDayOfInterval,
} from '../lib/exposure/intervals.ts';
import type { Random } from '../lib/random/random.ts';

/** A key of the phone's owner, as it is handed out. */
export interface OwnKey {
  keyData: Buffer;
  rollingStartIntervalNumber: number;
  rollingPeriod: number;
}

/** Own keys are kept this many days (P C-6). */
const RETENTION_DAYS = 14;

/** The temporary exposure keys of one phone: made one a day, never derived, erased after 14 days (P C-2..C-6). */
export class KeyStore {
  readonly #random: Pick<Random, 'bytes'>;
  #keys: OwnKey[] = [];
  /** Interval from which a key of the day was replaced by early release; its successor begins to be used there. */
  readonly #usedFrom = new WeakMap<OwnKey, number>();

  constructor(random: Pick<Random, 'bytes'>) {
    this.#random = random;
  }

  /** The key in use at a time that does not lie before the newest key; makes one when a new day has begun. */
  current(epochSeconds: number): OwnKey {
    const now = intervalNumber(epochSeconds);
    const newest = this.#keys.at(-1);
    if (newest !== undefined && now < newest.rollingStartIntervalNumber + INTERVALS_PER_DAY) return newest;
    return this.#add(now);
  }

  /** The key that was in use in an interval, if it is still kept. */
  inUseAt(interval: number): OwnKey | undefined {
    return this.#keys.findLast(
      (key) =>
        (this.#usedFrom.get(key) ?? key.rollingStartIntervalNumber) <= interval &&
        interval < key.rollingStartIntervalNumber + key.rollingPeriod,
    );
  }

  /**
   * The consented release of the history (P C-4, C-6), newest first. Without early release the key of the
   * running day is withheld; with it that key is cut to what was used and a fresh one takes over at once.
   */
  release(epochSeconds: number, options: { earlyRelease?: boolean } = {}): OwnKey[] {
    this.prune(epochSeconds);
    const now = intervalNumber(epochSeconds);
    if (options.earlyRelease === true) this.#cut(now, this.current(epochSeconds));
    return (
      this.#keys
        // A key cut to its shortest, one interval, may still end in the future.
        .filter(
          (key) => key.rollingStartIntervalNumber + key.rollingPeriod <= now || key.rollingPeriod < INTERVALS_PER_DAY,
        )
        .reverse()
        .map((key) => ({ ...key }))
    );
  }

  /** Erases keys whose day lies more than 14 days back. */
  prune(epochSeconds: number): void {
    const oldest = utcDay(epochSeconds) - RETENTION_DAYS;
    this.#keys = this.#keys.filter((key) => utcDayOfInterval(key.rollingStartIntervalNumber) >= oldest);
  }

  #cut(now: number, key: OwnKey): void {
    key.rollingPeriod = Math.max(1, now - key.rollingStartIntervalNumber);
    this.#usedFrom.set(this.#add(now), key.rollingStartIntervalNumber + key.rollingPeriod);
  }

  #add(interval: number): OwnKey {
    const key: OwnKey = {
      keyData: this.#random.bytes(16),
      rollingStartIntervalNumber: dayStartInterval(interval),
      rollingPeriod: INTERVALS_PER_DAY,
    };
    this.#keys.push(key);
    return key;
  }
}
