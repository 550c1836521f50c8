import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import { groupSizes } from './key-table.ts';

export interface PaddingSuspicion {
  /** Groups of keys with equal metadata. */
  readonly groups: number;
  /** Factor by which every real key seems to have been multiplied; 1 when nothing speaks for one. */
  readonly multiplier: number;
  /** Groups whose size is a multiple of it. */
  readonly groupsThatFit: number;
  /** Chance that as many groups fit although nothing was multiplied. */
  readonly chance: number;
  /** Few enough keys that the file may have been filled up to the minimum of 140 (decision 25). */
  readonly mayBeFilledUp: boolean;
}

/** 10 is the largest multiplier that was ever in use (D 2.7). */
const LARGEST_MULTIPLIER = 20;
/** Some groups were torn when a pool was cut into packages. */
const FITTING_SHARE = 0.9;
const UNLIKELY = 0.001;
const MINIMUM_AND_SPREAD = 140 + 99;

/**
 * Looks for the padding of the original, which stored every key `multiplier` times with the same metadata and other
 * key bytes: then nearly all groups of equal metadata have a size that is a multiple of it (D 2.7, fault 4).
 */
export function paddingSuspicion(keys: readonly DecodedKey[]): PaddingSuspicion {
  const sizes = groupSizes(keys);
  const mayBeFilledUp = keys.length > 0 && keys.length <= MINIMUM_AND_SPREAD;
  for (let multiplier = LARGEST_MULTIPLIER; multiplier > 1; multiplier--) {
    const groupsThatFit = sizes.filter((size) => size % multiplier === 0).length;
    const chance = atLeast(groupsThatFit, sizes.length, 1 / multiplier);
    if (groupsThatFit >= FITTING_SHARE * sizes.length && chance < UNLIKELY) {
      return { groups: sizes.length, multiplier, groupsThatFit, chance, mayBeFilledUp };
    }
  }
  return { groups: sizes.length, multiplier: 1, groupsThatFit: sizes.length, chance: 1, mayBeFilledUp };
}

/** P(X >= k) of a binomial distribution, by logarithms: n may be large. */
function atLeast(k: number, n: number, p: number): number {
  if (k === 0) return 1;
  let sum = 0;
  let logChoose = 0;
  for (let i = 0; i <= n; i++) {
    if (i > 0) logChoose += Math.log((n - i + 1) / i);
    if (i >= k) sum += Math.exp(logChoose + i * Math.log(p) + (n - i) * Math.log(1 - p));
  }
  return Math.min(1, sum);
}
