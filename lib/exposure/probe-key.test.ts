import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { isProbeKey, makeProbeKey } from './probe-key.ts';

const secret = 'a secret of the prober and of submission';

test('a probe key is known by its secret alone', () => {
  const keys = Array.from({ length: 100 }, () => makeProbeKey(secret, randomBytes(8)));
  expect(keys.every((key) => key.length === 16 && isProbeKey(secret, key))).toBe(true);
  expect(keys.some((key) => isProbeKey('another secret', key))).toBe(false);
  expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(100);
});

test('one changed bit makes it an ordinary key', () => {
  const key = makeProbeKey(secret, randomBytes(8));
  for (let bit = 0; bit < 128; bit++) {
    const other = Buffer.from(key);
    other.writeUInt8(other.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(isProbeKey(secret, other)).toBe(false);
  }
});

test('keys of phones, and what is no key, are never taken for one', () => {
  expect(Array.from({ length: 10_000 }, () => randomBytes(16)).some((key) => isProbeKey(secret, key))).toBe(false);
  for (const length of [0, 8, 15, 17]) expect(isProbeKey(secret, Buffer.alloc(length))).toBe(false);
  expect(() => makeProbeKey(secret, randomBytes(7))).toThrow(RangeError);
});
