import { expect, test } from 'vitest';
import { aCall } from '../../../lib/testing/call.ts';
import { openPackage, packageKey } from '../fixtures/read-store.ts';
import { type StoredKey, world, type World } from '../fixtures/world.ts';
import { getDistributionReport } from '../get-distribution-report.ts';

const french = { origin: 'FR', visited: ['FR'] };
const hex = (...keys: StoredKey[][]): string[] =>
  keys
    .flat()
    .map(({ keyData }) => keyData.toString('hex'))
    .sort();
const keysOf = async (w: World, region: string, date: string, hour: number): Promise<string[]> =>
  (await openPackage(w.store, packageKey(region, date, hour))).keyHex;

test('decision 25: enough foreign keys come out without the own ones, which wait until they are enough', async () => {
  const w = await world();
  await w.run();
  const few = w.submit(20);
  const foreign = w.submit(150, french);
  await w.nextHour();
  expect(await keysOf(w, 'EUR', '2020-09-13', 10)).toEqual(hex(foreign));
  expect(await keysOf(w, 'DE', '2020-09-13', 10)).toEqual([]);
  const more = w.submit(120);
  await w.nextHour();
  for (const region of ['DE', 'EUR']) expect(await keysOf(w, region, '2020-09-13', 11)).toEqual(hex(few, more));
});

test('decision 25: padding of foreign keys alone is none of the own country', async () => {
  const w = await world();
  await w.run();
  const foreign = w.submit(3, french);
  w.clock.set('2020-09-14T11:05:00Z');
  const { keysAssigned, paddingKeys } = await w.run();
  expect(keysAssigned).toBe(3);
  const eur = await keysOf(w, 'EUR', '2020-09-14', 10);
  expect(eur).toHaveLength(3 + paddingKeys);
  expect(eur).toEqual(expect.arrayContaining(hex(foreign)));
  expect(await keysOf(w, 'DE', '2020-09-14', 10)).toEqual([]);
});

test('decision 25: padding is drawn from what was published last, and else from keys that may be published now', async () => {
  const levels = async (w: World) => {
    const { keys } = await openPackage(w.store, packageKey('DE', '2020-09-14', 20));
    return new Set(keys.map((key) => `${key.rollingStartIntervalNumber}/${key.transmissionRiskLevel}`));
  };
  const known = await world({ start: '2020-09-13T17:05:00Z' });
  await known.run();
  known.submit(150, { level: 3 });
  await known.nextHour();
  known.submit(1_000, { level: 8 });
  await known.nextHour();
  // Nothing published yet, and keys in use that do not look like those that wait.
  const fresh = await world({ start: '2020-09-13T19:05:00Z' });
  await fresh.run();
  for (const w of [known, fresh]) {
    w.clock.set('2020-09-13T20:05:00Z');
    w.submit(10, { level: 5 });
    await w.run();
    w.clock.set('2020-09-14T20:05:00Z');
    w.submit(90, { level: 4, age: 0 });
    expect(await w.run()).toMatchObject({ keysAssigned: 0 });
    expect((await w.nextHour()).paddingKeys).toBeGreaterThanOrEqual(130);
  }
  const start = Math.floor(Date.parse('2020-09-12') / 600_000);
  expect(await levels(known)).toEqual(new Set([`${start}/5`, `${start}/8`]));
  expect(await levels(fresh)).toEqual(new Set([`${start}/5`]));
});

test('decisions 24, 25: padding is not drawn from keys that are too old by now', async () => {
  const w = await world({ start: '2020-09-13T17:05:00Z' });
  await w.run();
  w.submit(150, { level: 7, age: 14 });
  await w.nextHour();
  w.submit(10, { level: 5 });
  await w.run();
  w.clock.set('2020-09-14T20:05:00Z');
  expect(await w.run()).toMatchObject({ keysAssigned: 10 });
  const { keys } = await openPackage(w.store, packageKey('EUR', '2020-09-14', 19));
  expect(new Set(keys.map(({ transmissionRiskLevel }) => transmissionRiskLevel))).toEqual(new Set([5]));
});

test('D row 40: of too many keys those of the oldest day go first, and a country with too few among them waits', async () => {
  const w = await world({ rules: { maximumKeys: 300 } });
  await w.run();
  const young = w.submit(160);
  const old = w.submit(250, { ...french, age: 5, submissionHour: Math.floor(w.clock.nowMs() / 3_600_000) + 1 });
  w.clock.set('2020-09-13T12:05:00Z');
  expect(await w.run()).toMatchObject({ keysAssigned: 250, keysWaiting: 160 });
  expect(await keysOf(w, 'EUR', '2020-09-13', 11)).toEqual(hex(old));
  expect(await keysOf(w, 'DE', '2020-09-13', 11)).toEqual([]);
  // 50 more would fit into the day: too few for a package.
  expect(await w.nextHour()).toMatchObject({ keysAssigned: 0 });
  w.clock.set('2020-09-14T01:05:00Z');
  expect(await w.run()).toMatchObject({ keysAssigned: 160, keysWaiting: 0 });
  expect(await keysOf(w, 'DE', '2020-09-14', 0)).toEqual(hex(young));
  // Hour 0 counts as the others do, and the 140 that are left make a package.
  w.submit(160, { age: 2 });
  expect(await w.nextHour()).toMatchObject({ keysAssigned: 140, keysWaiting: 20 });
  w.submit(140, { age: 2 });
  expect(await w.nextHour()).toMatchObject({ keysAssigned: 0, keysWaiting: 160 });
});

test('D row 40: of too many keys those of the oldest day go first, never one that is too old or still in use', async () => {
  const w = await world({ rules: { maximumKeys: 300 } });
  await w.run();
  const young = w.submit(200, { age: 0, period: 1 });
  const hour = Math.floor(w.clock.nowMs() / 3_600_000) + 1;
  const old = w.submit(200, { age: 5, submissionHour: hour });
  w.submit(3, { age: 15 });
  const yesterday = Math.floor(hour / 24) * 144 - 1;
  w.submit(5, { start: yesterday, period: 144 });
  w.clock.set('2020-09-13T12:05:00Z');
  expect(await w.run()).toMatchObject({ keysAssigned: 300, keysWaiting: 105 });
  const out = await keysOf(w, 'DE', '2020-09-13', 11);
  expect(out).toEqual(expect.arrayContaining(hex(old)));
  expect(out.filter((key) => hex(young).includes(key))).toHaveLength(100);
});

test('D row 40, decision 25: where the oldest keys of no country make a package, all of them wait', async () => {
  const w = await world({ rules: { maximumKeys: 200 } });
  await w.run();
  w.submit(100, { age: 5 });
  w.submit(100, { ...french, age: 5 });
  w.submit(40);
  expect(await w.nextHour()).toMatchObject({ keysAssigned: 0, keysWaiting: 240 });
});

test('D row 40: a package that somebody should look at is told, before the maximum is reached', async () => {
  const w = await world({ rules: { manyKeys: 150 } });
  await w.run();
  w.submit(149);
  await w.nextHour();
  expect(w.log.lines.filter(({ event }) => event === 'package-large')).toEqual([]);
  w.submit(150);
  await w.nextHour();
  expect(w.log.lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'package-large', count: 150 }));
});

test('D row 40: padding counts towards the most that a day may hold', async () => {
  const w = await world({ rules: { maximumKeys: 280 } });
  await w.run();
  w.submit(10);
  w.clock.set('2020-09-14T11:05:00Z');
  const padded = await w.run();
  expect(padded.keysAssigned).toBe(10);
  w.submit(200);
  const next = await w.nextHour();
  expect(10 + padded.paddingKeys + next.keysAssigned).toBeLessThanOrEqual(280);
});

test('D row 22: a PCR row of a key that is published already changes nothing and is a duplicate', async () => {
  const w = await world();
  await w.run();
  const keys = w.submit(140, { type: 1, level: 3 });
  await w.nextHour();
  w.submit(1, { ...keys[0], type: 0, level: 8 });
  expect(await w.nextHour()).toMatchObject({ keysRead: 1, keysAssigned: 0, keysWaiting: 0 });
  const { excluded } = await getDistributionReport(w.deps)({}, aCall('scheduler'));
  expect(excluded).toEqual([{ rule: 3, keyCount: 1 }]);
  w.clock.set('2020-09-14T00:05:00Z');
  await w.run();
  const day = await openPackage(w.store, packageKey('DE', '2020-09-13'));
  expect(day.keyHex).toEqual(hex(keys));
  expect(new Set(day.keys.map(({ transmissionRiskLevel }) => transmissionRiskLevel))).toEqual(new Set([3]));
});

test('keys left out are counted over all runs', async () => {
  const w = await world();
  w.submit(3, { level: 1 });
  await w.run();
  w.submit(2, { level: 2 });
  await w.run();
  const { excluded } = await getDistributionReport(w.deps)({}, aCall('scheduler'));
  expect(excluded).toEqual([{ rule: 1, keyCount: 5 }]);
});
