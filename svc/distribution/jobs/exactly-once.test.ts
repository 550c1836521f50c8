import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simulate } from '../fixtures/simulation.ts';

test('D row 25: no loss, no repeat, 40 days at 10 keys/h hourly: each key in exactly one hour file and one day file', async () => {
  const { faults, runs } = await simulate({ seed: 'forty days', days: 40, keysPerHour: 10, killed: 20, missed: 12 });
  expect(faults).toEqual([]);
  expect(runs).toBeGreaterThan(800);
}, 180_000);

test('D row 25: the same for random arrivals at 1 to 40 keys an hour, outages, kills and clock positions', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(1, 20, 40), async (seed, keysPerHour) => {
      const { faults } = await simulate({ seed: String(seed), days: 3, keysPerHour, killed: 3, missed: 6 });
      expect(faults).toEqual([]);
    }),
    { numRuns: 3, seed: 4_919 },
  );
}, 180_000);

test('D row 25: the same for a night at 15,000 keys an hour', async () => {
  const { faults, keys } = await simulate({ seed: 'a night', days: 0.25, keysPerHour: 15_000, killed: 6, missed: 6 });
  expect(faults).toEqual([]);
  expect(keys).toBeGreaterThan(40_000);
}, 180_000);
