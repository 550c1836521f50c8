import { expect, test } from 'vitest';
import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import { compare } from './compare.ts';
import { planUploads } from './replay-plan.ts';

const end = Date.parse('2020-07-01T20:05:00Z') / 1000;
const midnight = 2_655_792;

const key = (name: number, change: Partial<DecodedKey> = {}): DecodedKey => ({
  keyData: Buffer.alloc(16, name),
  rollingStartIntervalNumber: midnight,
  transmissionRiskLevel: 5,
  ...change,
});
const load = (positions: number[], accepted = true) => ({ positions, accepted, nowSeconds: end });

test('keys that alone let an upload pass go first in file order, fourteen a phone, the rest after them', () => {
  const keys = Array.from({ length: 30 }, (_, i) =>
    key(i, i % 3 === 0 ? { rollingStartIntervalNumber: midnight + 1 } : {}),
  );
  const plan = planUploads(keys, end);
  expect(plan.map((portion) => portion.length)).toEqual([14, 6, 10]);
  expect(plan[0]?.slice(0, 4)).toEqual([1, 2, 4, 5]);
  expect(plan[2]?.slice(0, 3)).toEqual([0, 3, 6]);
});

test('a key too old is filtered, not refused: it travels with the good ones', () => {
  const keys = [key(1), key(2, { rollingStartIntervalNumber: midnight - 20 * 144 })];
  expect(planUploads(keys, end)).toEqual([[0, 1]]);
});

test('every key counts once: out, or under the first rule that it breaks', () => {
  const keys = [
    key(1),
    key(2, { rollingStartIntervalNumber: midnight - 20 * 144 }),
    key(3, { transmissionRiskLevel: 2 }),
    key(1),
    key(5, { rollingPeriod: 0, transmissionRiskLevel: 9 }),
    key(6),
    key(7),
  ];
  const published = [key(1, { rollingPeriod: 144 }), key(7, { rollingPeriod: 100 }), key(99)];
  const result = compare(keys, [load([0, 1, 2, 3, 6]), load([4, 5], false)], published, end);
  expect(result).toEqual({
    in: 7,
    out: 1,
    padding: 1,
    excluded: {
      KEY_TOO_OLD: 1,
      RISK_LEVEL_NOT_PUBLISHED: 1,
      DUPLICATE_OF_AN_EARLIER_KEY: 1,
      ROLLING_PERIOD: 1,
      REFUSED_WITH_ITS_UPLOAD: 1,
      CAME_OUT_CHANGED: 1,
    },
  });
});

test('a key that is gone without a rule is never explained away', () => {
  expect(compare([key(1)], [load([0])], [], end).excluded).toEqual({ UNEXPLAINED: 1 });
});
