import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { world } from '../fixtures/world.ts';

/** SHA-256 of every object after the same two days. */
async function build(): Promise<Map<string, string>> {
  const w = await world({ start: '2020-09-13T20:05:00Z', seed: 'equal' });
  await w.run();
  w.submit(20);
  for (let hour = 0; hour < 30; hour++) {
    if (hour > 25) w.submit(150);
    await w.nextHour();
  }
  return new Map(
    [...w.store.objects()].map(([key, { body }]) => [key, createHash('sha256').update(body).digest('hex')]),
  );
}

test('issue 4: two builds on two databases give equal objects, padding, signatures and zips included', async () => {
  const [one, other] = [await build(), await build()];
  expect(one.size).toBeGreaterThan(80);
  expect(other).toEqual(one);
});
