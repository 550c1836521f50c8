import { afterAll, beforeAll, expect, test } from 'vitest';
import { deferred } from '../bench/bench.ts';
import { type ObservedMesh, openObservedMesh } from '../bench/privacy/observe.ts';

// The short version of `npm run bench:privacy`: a real mesh, the default floor, four operations over REST and Connect.
const { defer, undo } = deferred();
const lanes = 32;
let observed: ObservedMesh;

beforeAll(async () => {
  observed = await openObservedMesh({ progress: () => {}, defer, scale: 1 }, { tans: 25_000, tokens: 25_000 });
  await observed.observe({ lanes, requests: 3 });
});
afterAll(undo);

test('decisions 13 to 15: real and fake answers of a running mesh cannot be told apart by time or size (2,048 samples)', async () => {
  const { surfaces, together } = await observed.observe({ lanes, requests: 8 });
  expect(together.samples).toBe(2_048);
  expect(together.timeInFirstSlot).toBeLessThanOrEqual(together.bound);
  // Fakes are late as often as real answers were before; on a machine that is suddenly too busy that lags behind.
  if (together.late.real <= 0.01) expect(together.time).toBeLessThanOrEqual(together.bound);
  for (const { name, size, bound } of [...surfaces, together]) expect(size, name).toBeLessThanOrEqual(bound);
});

test('20 ms planted in when answers leave would be found', async () => {
  await observed.plant({ leaveMs: 20 });
  const { together } = await observed.observe({ lanes, requests: 4 });
  expect(together.timeInFirstSlot).toBeGreaterThan(together.bound);
});
