import { expect, test } from 'vitest';
import { dateIndex, hourIndex, openPackage, packageKey, textOf } from '../fixtures/read-store.ts';
import { world } from '../fixtures/world.ts';

test("D faults 12, 16: the first run after midnight publishes yesterday and today's hour index, so no phone asks in vain", async () => {
  const w = await world({ start: '2020-09-13T22:05:00Z' });
  await w.run();
  w.submit(140);
  await w.nextHour();
  w.clock.set('2020-09-14T00:00:01Z');
  await w.run();
  for (const region of ['DE', 'EUR']) {
    expect(dateIndex(w.store, region)).toEqual(['2020-09-13']);
    expect(hourIndex(w.store, '2020-09-14', region)).toEqual([]);
    expect((await openPackage(w.store, packageKey(region, '2020-09-13'))).keys).toHaveLength(140);
  }
});

test('D faults 3, 4: keys of few users never wait for ever, and the padding that frees them varies', async () => {
  const sizes = new Set<number>();
  for (const seed of ['a', 'b', 'c', 'd']) {
    const w = await world({ seed });
    await w.run();
    w.submit(13);
    w.clock.set('2020-09-14T11:05:00Z');
    const { keysAssigned, paddingKeys } = await w.run();
    expect(keysAssigned).toBe(13);
    sizes.add(paddingKeys);
  }
  expect(sizes.size).toBeGreaterThan(1);
});

test('D faults 2, 6: keys come out with the hour they arrived in, those of the same day later than their siblings, two hours after they end', async () => {
  const w = await world({ start: '2020-09-13T10:05:00Z' });
  await w.run();
  w.submit(140);
  const today = w.submit(140, { age: 0, period: 61 });
  const valid = w.submit(140, { age: 0 });
  await w.nextHour();
  expect((await openPackage(w.store, packageKey('DE', '2020-09-13', 10))).keys).toHaveLength(140);
  await w.nextHour();
  // Ends 10:10, may go at 12:10: hour 12 is published after 13:00.
  await w.nextHour();
  const noon = await openPackage(w.store, packageKey('DE', '2020-09-13', 12));
  expect(noon.keyHex).toEqual(today.map(({ keyData }) => keyData.toString('hex')).sort());
  w.clock.set('2020-09-14T02:05:00Z');
  await w.run();
  const night = await openPackage(w.store, packageKey('DE', '2020-09-14', 1));
  expect(night.keyHex).toEqual(valid.map(({ keyData }) => keyData.toString('hex')).sort());
});

test('D fault 15: a steady run asks the store little: no listing, no heads, at most 30 requests, midnight included', async () => {
  const w = await world({ start: '2020-09-11T22:05:00Z' });
  await w.run();
  let most = 0;
  for (let hour = 0; hour < 60; hour++) {
    w.store.forgetRequests();
    w.submit(150);
    await w.nextHour();
    most = Math.max(most, w.store.requests.length);
    expect(w.store.requests.every(({ operation }) => operation === 'put' || operation === 'delete')).toBe(true);
  }
  expect(most).toBeLessThanOrEqual(30);
});

test('D fault 17: index-v2 is an index, not a key file: JSON by name and content', async () => {
  const w = await world();
  await w.run();
  expect(textOf(w.store, 'version/index-v2')).toBe('["v2"]');
  expect(w.store.objects().get('version/index-v2')).toMatchObject({
    contentType: 'application/json',
    cacheControl: 'public,max-age=300',
  });
});
