import { type Cap, unwatchedCap } from '../lib/telemetry/cap.ts';
import type { Clock } from '../lib/time/clock.ts';
import { isPhoneGroup, type RouteGroup } from './route-group.ts';

export interface RateLimits {
  /** False: the request is shed with 503. Asked once a request, when its head arrives. */
  admits(group: RouteGroup): boolean;
}

/** Requests a second of this process: of each group, and of all that phones ask on the schedule together. */
export type Rates = Readonly<Record<RouteGroup | 'phones', number>>;

/**
 * Limits know how much comes, never from whom (decision 16): no address, no token, and nobody has yet looked whether a
 * request is fake. They keep the process alive under a flood; what a person may do is limited by the services.
 */
export function rateLimits(
  clock: Pick<Clock, 'monotonicMs'>,
  rates: Rates,
  capOf: (group: RouteGroup | 'phones', perSecond: number) => Cap = () => unwatchedCap,
): RateLimits {
  const bucketOf = (group: RouteGroup | 'phones') =>
    new TokenBucket(rates[group], clock.monotonicMs(), capOf(group, rates[group]));
  const phones = bucketOf('phones');
  const buckets: Readonly<Record<RouteGroup, TokenBucket>> = {
    upload: bucketOf('upload'),
    registration: bucketOf('registration'),
    result: bucketOf('result'),
    tan: bucketOf('tan'),
    download: bucketOf('download'),
    partner: bucketOf('partner'),
  };
  return {
    admits(group) {
      const nowMs = clock.monotonicMs();
      const all = isPhoneGroup(group) ? [buckets[group], phones] : [buckets[group]];
      for (const bucket of all) bucket.count(nowMs);
      // Nothing is taken from one bucket for a request that the other refuses.
      if (!all.every((bucket) => bucket.has(nowMs))) return false;
      for (const bucket of all) bucket.take();
      return true;
    },
  };
}

/** Holds one second's worth, and is full at first. */
class TokenBucket {
  readonly #perSecond: number;
  readonly #cap: Cap;
  /** What was asked for in this second: a bucket alone would look full until shortly before it is empty. */
  #asked = 0;
  #secondMs: number;
  #tokens: number;
  #filledMs: number;

  constructor(perSecond: number, nowMs: number, cap: Cap) {
    this.#perSecond = perSecond;
    this.#cap = cap;
    this.#secondMs = nowMs;
    this.#tokens = perSecond;
    this.#filledMs = nowMs;
  }

  has(nowMs: number): boolean {
    const grown = ((nowMs - this.#filledMs) / 1_000) * this.#perSecond;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + grown);
    this.#filledMs = nowMs;
    return this.#tokens >= 1;
  }

  count(nowMs: number): void {
    if (nowMs - this.#secondMs >= 1_000) {
      this.#secondMs = nowMs;
      this.#asked = 0;
    }
    this.#cap.saw(++this.#asked);
  }

  take(): void {
    this.#tokens--;
  }
}
