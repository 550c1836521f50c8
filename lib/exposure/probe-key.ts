import { createHmac, timingSafeEqual } from 'node:crypto';

/** Octets of a key that are random; the rest is their HMAC, cut. */
const RANDOM_OCTETS = 8;
const KEY_OCTETS = 16;

/**
 * The key of a phone that does not exist (decision 35): 8 random octets and the first 8 of their HMAC-SHA256. Without
 * the secret it looks like any other key; a real one is taken for it with a probability of 2^-64.
 * @param random 8 octets
 */
export function makeProbeKey(secret: string, random: Uint8Array): Buffer {
  if (random.length !== RANDOM_OCTETS) throw new RangeError('a probe key is made of 8 random octets');
  return Buffer.concat([random, markOf(secret, random)]);
}

/** Whether the prober made this key; in constant time. */
export function isProbeKey(secret: string, key: Uint8Array): boolean {
  return (
    key.length === KEY_OCTETS &&
    timingSafeEqual(key.subarray(RANDOM_OCTETS), markOf(secret, key.subarray(0, RANDOM_OCTETS)))
  );
}

const markOf = (secret: string, random: Uint8Array): Buffer =>
  createHmac('sha256', secret)
    .update(random)
    .digest()
    .subarray(0, KEY_OCTETS - RANDOM_OCTETS);
