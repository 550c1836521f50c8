import { expect, test } from 'vitest';
import { dateIndex, derivableKeys, hourIndex, openPackage, packageKey, textOf } from '../fixtures/read-store.ts';
import { type StoredKey, world, type World } from '../fixtures/world.ts';
import { runDistribution } from './run.ts';

const hex = (keys: readonly StoredKey[]): string[] => keys.map(({ keyData }) => keyData.toString('hex')).sort();
const missing = (w: World): string[] => {
  const stored = w.store.objects();
  return derivableKeys(w.store).filter((key) => !stored.has(key));
};
const deletions = (w: World): readonly string[] => w.store.requests.flatMap(({ keys = [] }) => keys);

test('a day package that failed at midnight: its keys stay although they are too old now, nothing is deleted, the next run heals', async () => {
  const w = await world({ start: '2020-09-12T22:05:00Z' });
  await w.run();
  w.clock.set('2020-09-13T21:05:00Z');
  const keys = w.submit(140, { age: 14 });
  await w.run();
  await w.nextHour();
  const day = packageKey('DE', '2020-09-13');
  w.store.failWhere(({ operation, key }) => operation === 'put' && key === day);
  w.store.forgetRequests();
  w.clock.set('2020-09-14T00:05:00Z');
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1 });
  expect(deletions(w)).toEqual([]);
  expect(missing(w)).toEqual([]);
  expect(dateIndex(w.store, 'DE')).toEqual(['2020-09-12']);
  expect(dateIndex(w.store, 'EUR')).toEqual(['2020-09-12', '2020-09-13']);
  w.store.heal();
  w.clock.set('2020-09-14T00:25:00Z');
  await w.run();
  expect((await openPackage(w.store, day)).keyHex).toEqual(hex(keys));
  expect(deletions(w)).toContain(packageKey('DE', '2020-09-12', 22));
  expect(missing(w)).toEqual([]);
  expect(await w.database.rowCount('key_pool')).toBe(0);
});

test('submission is down over midnight: keys on their last day, assigned and waiting ones, still come out when it answers', async () => {
  const w = await world({ start: '2020-09-13T20:05:00Z' });
  await w.run();
  const assigned = w.submit(140, { age: 14 });
  await w.nextHour();
  const waiting = w.submit(10, { age: 14 });
  await w.run();
  w.submission.down = true;
  w.clock.set('2020-09-14T00:05:00Z');
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1, keysAssigned: 0, keysWaiting: 10 });
  w.submission.down = false;
  w.clock.set('2020-09-14T00:35:00Z');
  expect(await w.run()).toMatchObject({ keysAssigned: 10, keysWaiting: 0 });
  const day = await openPackage(w.store, packageKey('DE', '2020-09-13'));
  expect(day.keyHex).toEqual(expect.arrayContaining(hex([...assigned, ...waiting])));
  expect((await openPackage(w.store, packageKey('DE', '2020-09-13', 23))).keyHex).toEqual(
    expect.arrayContaining(hex(waiting)),
  );
});

test('a key stream without a cursor leaves the hour open: read again, every key comes out once', async () => {
  const w = await world();
  await w.run();
  const keys = w.submit(140);
  w.clock.set('2020-09-13T11:05:00Z');
  const { client } = w.submission;
  const submission: typeof client = {
    async *streamDiagnosisKeys(request, call) {
      for await (const { nextCursor: _, ...message } of client.streamDiagnosisKeys(request, call)) yield message;
    },
  };
  expect(await runDistribution({ ...w.deps, submission })).toMatchObject({ failures: 1, keysAssigned: 0 });
  expect(hourIndex(w.store, '2020-09-13')).toEqual([]);
  expect(await w.run()).toMatchObject({ keysAssigned: 140 });
  expect((await openPackage(w.store, packageKey('DE', '2020-09-13', 10))).keyHex).toEqual(hex(keys));
});

test('objects that could not be deleted are deleted by the next run, an index before what it names', async () => {
  const w = await world({ start: '2020-09-12T22:05:00Z' });
  await w.run();
  await w.nextHour();
  w.store.failWhere(({ operation }) => operation === 'delete');
  w.clock.set('2020-09-14T00:05:00Z');
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1, objectsDeleted: 0 });
  expect(missing(w)).toEqual([]);
  w.store.heal();
  w.store.forgetRequests();
  await w.run();
  const index = `${packageKey('DE', '2020-09-12')}/hour`;
  expect(deletions(w).indexOf(index)).toBeLessThan(deletions(w).indexOf(`${index}/22`));
  expect([...w.store.objects().keys()].filter((key) => key.startsWith(index))).toEqual([]);
});

test('D row 33: check-in hours, the index ends before the first that failed and begins only with one that is there', async () => {
  const w = await world({ start: '2020-09-13T10:05:00Z' });
  const index = 'version/v2/twp/country/DE/hour';
  const now = Math.floor(w.clock.nowMs() / 3_600_000);
  w.store.failWhere(({ operation, key }) => operation === 'put' && key === `${index}/${now - 1}`);
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1 });
  expect(textOf(w.store, index)).toBeUndefined();
  w.store.heal();
  await w.run();
  expect(textOf(w.store, index)).toBe(`{"oldest":${now - 1},"latest":${now - 1}}`);
  w.store.failWhere(({ operation, key }) => operation === 'put' && key === `${index}/${now}`);
  w.clock.set('2020-09-13T13:05:00Z');
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1 });
  expect(textOf(w.store, index)).toBe(`{"oldest":${now - 1},"latest":${now - 1}}`);
  w.store.heal();
  await w.run();
  expect(textOf(w.store, index)).toBe(`{"oldest":${now - 1},"latest":${now + 2}}`);
});

test('a clock that was set back brings no hour in progress into a package, and changes nothing that is out', async () => {
  const w = await world();
  await w.run();
  w.submit(140);
  await w.nextHour();
  const keys = w.submit(140);
  const eleven = packageKey('DE', '2020-09-13', 11);
  w.store.failWhere(({ operation, key }) => operation === 'put' && key === eleven);
  w.clock.set('2020-09-13T12:05:00Z');
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1, keysAssigned: 140 });
  const out = w.store.objects();
  w.store.heal();
  w.submit(150);
  w.clock.set('2020-09-13T11:20:00Z');
  expect(await w.run()).toMatchObject({ keysAssigned: 0, keysWaiting: 150 });
  expect(w.store.objects().has(eleven)).toBe(false);
  w.clock.set('2020-09-13T13:05:00Z');
  expect(await w.run()).toMatchObject({ keysAssigned: 150, keysWaiting: 0 });
  expect((await openPackage(w.store, eleven)).keyHex).toEqual(hex(keys));
  for (const [key, { etag }] of out) {
    if (/\/(date\/[\d-]{10}|hour\/\d+)$/.test(key)) expect(w.store.objects().get(key)?.etag).toBe(etag);
  }
});

test('a clock that was set back over midnight builds nothing anew that was deleted, and no index loses a day', async () => {
  const w = await world({ start: '2020-09-12T20:05:00Z' });
  await w.run();
  w.submit(140);
  await w.nextHour();
  w.clock.set('2020-09-13T23:05:00Z');
  await w.run();
  w.clock.set('2020-09-14T00:00:01Z');
  await w.run();
  const out = w.store.objects();
  expect(out.has(packageKey('DE', '2020-09-12', 20))).toBe(false);
  w.clock.set('2020-09-13T23:59:59Z');
  await w.run();
  expect([...w.store.objects().keys()].sort()).toEqual([...out.keys()].sort());
  for (const region of ['DE', 'EUR']) expect(dateIndex(w.store, region)).toEqual(['2020-09-12', '2020-09-13']);
});
