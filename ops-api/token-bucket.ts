import { LRUCache } from 'lru-cache';
import type { Clock } from '../lib/time/clock.ts';

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Identities that are remembered; the one that asked least lately is forgotten first. */
const maxIdentities = 1_000;

/**
 * So many requests a minute for each name, and up to so many at once. Returns whether one more is allowed now.
 */
export function tokenBuckets(perMinute: number, clock: Clock): (name: string) => boolean {
  const buckets = new LRUCache<string, Bucket>({ max: maxIdentities });
  return (name) => {
    const nowMs = clock.monotonicMs();
    const bucket = buckets.get(name) ?? { tokens: perMinute, atMs: nowMs };
    bucket.tokens = Math.min(perMinute, bucket.tokens + ((nowMs - bucket.atMs) * perMinute) / 60_000);
    bucket.atMs = nowMs;
    buckets.set(name, bucket);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  };
}
