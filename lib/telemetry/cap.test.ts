import { expect, test } from 'vitest';
import { recordedMetrics } from '../testing/telemetry.ts';
import { usedShare, watchCap } from './cap.ts';

const shown = (metrics: ReturnType<typeof recordedMetrics>, cap: string) =>
  metrics.seen('cwa.cap.utilization', { 'cwa.cap': cap });

test('the peak of a minute is shown, and forgotten with it', async () => {
  const metrics = recordedMetrics('gateway');
  const cap = watchCap(metrics, 'phone-requests', 1_000);
  for (const used of [3, 470, 12]) cap.saw(used);
  expect(await shown(metrics, 'phone-requests')).toBe(0.45);
  expect(await shown(metrics, 'phone-requests')).toBe(0);
});

test.each([1, 3, 8, 20, 99, 1_000, 20_000])('fewer than five events never show in a limit of %i', (limit) => {
  const shares = Array.from({ length: 400 }, (_, used) => usedShare(used, limit));
  expect(new Set(shares.slice(0, 5))).toEqual(new Set([0]));
  const changes = shares.flatMap((share, used) => (used > 0 && share !== shares[used - 1] ? [used] : []));
  // A step each five events, and one more when the limit itself is reached.
  for (const [i, used] of changes.entries()) expect(used).toBeGreaterThanOrEqual(i * 5);
});

test('who is at the limit or above sees 1 or more', () => {
  expect(usedShare(64, 64, 3.2)).toBe(1);
  expect(usedShare(8, 8)).toBe(1);
  expect(usedShare(7, 8)).toBe(0.625);
  expect(usedShare(12, 8)).toBe(1.25);
  expect(usedShare(1, 1), 'one event may not be seen').toBe(0);
});
