import { expect, test } from 'vitest';
import { derivableKeys, openPackage, packageKey } from '../fixtures/read-store.ts';
import { world, type World } from '../fixtures/world.ts';
import { rebuildStore } from './rebuild.ts';

const bodies = (w: World): Map<string, string> =>
  new Map([...w.store.objects()].map(([key, { body }]) => [key, body.toString('hex')]));

async function loseBucket(w: World): Promise<void> {
  await w.store.delete([...w.store.objects().keys()]);
}

/** Two days of ordinary hours, padding and a quiet one among them, seen at 23:05. */
async function twoDays(): Promise<World> {
  const w = await world({ start: '2020-09-12T22:05:00Z' });
  await w.run();
  w.submit(20);
  for (let hour = 0; hour < 25 + 24; hour++) {
    if (hour % 3 === 0 && hour > 25) w.submit(150, { age: 1 + (hour % 12) });
    await w.nextHour();
  }
  return w;
}

test('a lost bucket is built anew, byte for byte, padding, signatures and configuration included', async () => {
  const w = await twoDays();
  const before = bodies(w);
  await loseBucket(w);
  const outcome = await rebuildStore(w.deps);
  expect(outcome).toEqual({
    missing: before.size,
    equal: before.size,
    signedAnew: 0,
    changed: 0,
    absent: 0,
    foreign: 0,
    failures: 0,
  });
  expect(bodies(w)).toEqual(before);
});

test('a rebuild that finds everything writes nothing', async () => {
  const w = await twoDays();
  w.store.forgetRequests();
  expect(await rebuildStore(w.deps)).toMatchObject({ missing: 0, failures: 0 });
  expect(w.store.requests.filter(({ operation }) => operation !== 'head')).toEqual([]);
});

test('a rebuild brings back single objects and stale indexes, and never overwrites a package', async () => {
  const w = await twoDays();
  const before = bodies(w);
  const hourIndex = `${packageKey('DE', '2020-09-14')}/hour`;
  const lost = packageKey('EUR', '2020-09-13');
  const damaged = packageKey('DE', '2020-09-13');
  const options = { contentType: 'application/json', cacheControl: 'public,max-age=300' };
  await w.store.delete([lost]);
  await w.store.put(hourIndex, Buffer.from('[0]'), options);
  await w.store.put(damaged, Buffer.from('something else'), options);
  expect(await rebuildStore(w.deps)).toMatchObject({ missing: 2, equal: 2, foreign: 1, failures: 1 });
  expect(bodies(w)).toEqual(before.set(damaged, Buffer.from('something else').toString('hex')));
});

test('a rebuild that dies half way is finished by the next ordinary run', async () => {
  const w = await twoDays();
  const before = bodies(w);
  await loseBucket(w);
  w.store.failRequest(before.size + 40, { forGood: true });
  await rebuildStore(w.deps).catch(() => {});
  w.store.heal();
  await w.run();
  expect(bodies(w)).toEqual(before);
});

test('what has expired since is not published again: such packages come back without it, never with 1 to 139 keys', async () => {
  const w = await world({ start: '2020-09-12T22:05:00Z' });
  await w.run();
  // The day package of the 13th: 100 keys of the 12th and 200 of the 5th.
  w.clock.set('2020-09-13T05:00:00Z');
  const young = w.submit(100, { age: 1 });
  w.submit(200, { age: 8 });
  await w.nextHour();
  w.clock.set('2020-09-14T05:00:00Z');
  const kept = w.submit(150, { age: 1 });
  w.submit(200, { age: 9 });
  await w.nextHour();
  w.clock.set('2020-09-15T00:05:00Z');
  await w.run();
  expect((await openPackage(w.store, packageKey('DE', '2020-09-13'))).keys).toHaveLength(300);
  // Keys of the 5th are older than 14 days on the 20th.
  w.clock.set('2020-09-20T00:05:00Z');
  await w.run();
  await loseBucket(w);
  expect(await rebuildStore(w.deps)).toMatchObject({ changed: 4, absent: 0, failures: 0 });
  expect((await openPackage(w.store, packageKey('DE', '2020-09-13'))).keys).toHaveLength(0);
  const rebuilt = await openPackage(w.store, packageKey('DE', '2020-09-14'));
  expect(rebuilt.keyHex).toEqual(kept.map(({ keyData }) => keyData.toString('hex')).sort());
  expect(young).toHaveLength(100);
  const stored = w.store.objects();
  expect(derivableKeys(w.store).filter((key) => !stored.has(key))).toEqual([]);
});
