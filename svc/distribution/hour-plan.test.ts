import { expect, test } from 'vitest';
import { planHour, type WaitingKeys } from './hour-plan.ts';

const none: WaitingKeys = { count: 0, oldestRelease: 0, lastDay: false };
const waiting = (count: number, given: Partial<WaitingKeys> = {}): WaitingKeys => ({
  ...none,
  oldestRelease: 100,
  count,
  ...given,
});
const rules = { minimumKeys: 140, longestWaitHours: 24, paddingSpread: 100 };
const draw = () => 7;

/** Keys of each hour's package when that many keys arrive in each hour. */
function shift(arrivals: readonly number[], minimumKeys: number): number[] {
  let pool = 0;
  return arrivals.map((arriving, hour) => {
    pool += arriving;
    const plan = planHour(hour, waiting(pool, { oldestRelease: 0 }), none, { ...rules, minimumKeys }, draw);
    const taken = plan.takeOwn ? pool : 0;
    pool -= taken;
    return taken;
  });
}

test.each([
  [[5], [5]],
  [
    [4, 1],
    [0, 5],
  ],
  [
    [5, 2, 4, 0],
    [5, 0, 6, 0],
  ],
  [
    [1, 5],
    [0, 6],
  ],
  [
    [1, 1, 1, 0, 0, 1, 1],
    [0, 0, 0, 0, 0, 0, 5],
  ],
])('D row 13: shifting vectors with threshold 5, %j -> %j', (arrivals, packages) => {
  expect(shift(arrivals, 5)).toEqual(packages);
});

test('D row 13: the 139 / 140 border', () => {
  expect(planHour(100, waiting(139), none, rules, draw).takeOwn).toBe(false);
  expect(planHour(100, waiting(140), none, rules, draw)).toEqual({
    takeOwn: true,
    takeForeign: true,
    ownPadding: 0,
    foreignPadding: 0,
  });
});

test('decision 25: the same border for foreign keys', () => {
  expect(planHour(100, none, waiting(139), rules, draw).takeForeign).toBe(false);
  expect(planHour(100, none, waiting(140), rules, draw).takeForeign).toBe(true);
  // Due or not, what is enough is not padded.
  expect(planHour(124, none, waiting(140), rules, draw)).toMatchObject({ takeForeign: true, foreignPadding: 0 });
});

test('decision 25: DE and EUR packages each hold 0 or at least 140 keys', () => {
  for (let own = 0; own <= 280; own += 20) {
    for (let foreign = 0; foreign <= 280; foreign += 20) {
      for (const oldestRelease of [100, 70]) {
        const plan = planHour(100, waiting(own, { oldestRelease }), waiting(foreign), rules, draw);
        const inOwn = (plan.takeOwn ? own : 0) + plan.ownPadding;
        const inAll = inOwn + (plan.takeForeign ? foreign : 0) + plan.foreignPadding;
        for (const size of [inOwn, inAll]) expect(size === 0 || size >= 140).toBe(true);
      }
    }
  }
});

test('decision 25: 24 h past the oldest release hour the pool is filled to 140 plus a random 0 to 99', () => {
  expect(planHour(123, waiting(10), none, rules, draw).takeOwn).toBe(false);
  expect(planHour(124, waiting(10), none, rules, draw)).toMatchObject({ takeOwn: true, ownPadding: 137 });
  expect(planHour(124, waiting(10), none, rules, () => 0).ownPadding).toBe(130);
  expect(planHour(124, waiting(10), none, rules, (max) => max - 1).ownPadding).toBe(229);
  expect(planHour(124, none, waiting(3), rules, draw)).toMatchObject({
    takeOwn: false,
    takeForeign: true,
    foreignPadding: 144,
  });
});

test('decision 24: a key on its last day of publication does not wait for tomorrow', () => {
  const lastDay = waiting(10, { oldestRelease: 118, lastDay: true });
  expect(planHour(118, lastDay, none, rules, draw).takeOwn).toBe(false);
  expect(planHour(119, lastDay, none, rules, draw).takeOwn).toBe(true);
});

test('an empty pool is never padded', () => {
  expect(planHour(119, none, none, rules, draw)).toEqual({
    takeOwn: false,
    takeForeign: false,
    ownPadding: 0,
    foreignPadding: 0,
  });
});
