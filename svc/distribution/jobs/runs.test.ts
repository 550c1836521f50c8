import { expect, test } from 'vitest';
import { changedConfiguration } from '../app-config/source.ts';
import { dateIndex, derivableKeys, hourIndex, openPackage, packageKey } from '../fixtures/read-store.ts';
import { world, type World } from '../fixtures/world.ts';
import { getDistributionReport } from '../get-distribution-report.ts';
import { aCall } from '../../../lib/testing/call.ts';
import { readRuns } from '../store/run-history.ts';
import { runDistribution } from './run.ts';

const puts = (w: World): string[] =>
  w.store.requests.filter(({ operation }) => operation === 'put').map(({ key }) => key);
const report = (w: World) => getDistributionReport(w.deps)({}, aCall('scheduler'));

test('D rows 24, 26, D fault 1: immutability, late rows leave published bytes and ETags untouched and land in the next hour', async () => {
  const w = await world();
  await w.run();
  w.submit(140);
  await w.nextHour();
  const before = w.store.objects().get(packageKey('DE', '2020-09-13', 10));
  const late = w.submit(150, { submissionHour: Math.floor(w.clock.nowMs() / 3_600_000) - 1 });
  await w.run();
  expect(w.store.objects().get(packageKey('DE', '2020-09-13', 10))).toEqual(before);
  await w.nextHour();
  expect(w.store.objects().get(packageKey('DE', '2020-09-13', 10))).toEqual(before);
  const next = await openPackage(w.store, packageKey('DE', '2020-09-13', 11));
  expect(next.keyHex).toEqual(late.map(({ keyData }) => keyData.toString('hex')).sort());
});

test('D rows 24, decision 24: an assigned key cannot be moved, not even by hand', async () => {
  const w = await world();
  await w.run();
  w.submit(140);
  await w.nextHour();
  await expect(w.database.pool.query('update key_pool set assigned_hour = assigned_hour + 1')).rejects.toThrow(
    'stays in the package',
  );
});

test('D rows 28, 29: skip unchanged, second run uploads nothing, PUT count 0, configuration keeps its object', async () => {
  const w = await world();
  await w.run();
  w.submit(140);
  await w.nextHour();
  const before = w.store.objects();
  w.store.forgetRequests();
  const outcome = await w.run();
  expect(outcome.objectsPut).toBe(0);
  expect(w.store.requests).toEqual([]);
  expect(w.store.objects()).toEqual(before);
});

test('D row 30: config change, changed value: new ETag, one PUT', async () => {
  const w = await world();
  await w.run();
  const etag = w.store.objects().get('version/v2/app_config_android')?.etag;
  w.store.forgetRequests();
  const configuration = changedConfiguration(w.deps.configuration, {
    android: { dailySummariesConfig: { daysSinceExposureThreshold: 1 } },
  });
  await runDistribution({ ...w.deps, configuration });
  expect(puts(w)).toEqual(['version/v1/app_config_android', 'version/v2/app_config_android']);
  expect(w.store.objects().get('version/v2/app_config_android')?.etag).not.toBe(etag);
});

test('D 2.10 BETTER: a refused configuration keeps the old archives and never holds up key packages', async () => {
  const w = await world();
  await w.run();
  const etag = w.store.objects().get('version/v2/app_config_android')?.etag;
  w.submit(140);
  w.clock.set('2020-09-13T11:05:00Z');
  const configuration = changedConfiguration(w.deps.configuration, { dgc: { reissueServicePublicKeyDigest: '' } });
  expect(await runDistribution({ ...w.deps, configuration })).toMatchObject({ keysAssigned: 140, failures: 1 });
  expect(hourIndex(w.store, '2020-09-13')).toEqual([10]);
  expect(w.store.objects().get('version/v2/app_config_android')?.etag).toBe(etag);
});

test('D row 32: upload order, packages before hour index before date index before country index before configuration; DELETEs last', async () => {
  const w = await world({ start: '2020-09-12T21:05:00Z' });
  await w.run();
  w.clock.set('2020-09-14T00:05:00Z');
  w.store.forgetRequests();
  await w.run();
  const rank = (key: string): number => {
    if (/\/diagnosis-keys\/.*\/(date\/[\d-]{10}|hour\/\d+)$/.test(key)) return 0;
    if (/\/diagnosis-keys\/.*\/hour$/.test(key)) return 1;
    if (key.endsWith('/date')) return 2;
    return 3;
  };
  const order = w.store.requests.map(({ operation, key }) => (operation === 'delete' ? 4 : rank(key)));
  expect(order).toEqual([...order].sort());
  expect(new Set(order)).toEqual(new Set([0, 1, 2, 3, 4]));
  const [run] = await readRuns(w.database.pool, 1);
  expect(run?.packages).toBe(order.filter((at) => at === 0).length);

  const fresh = await world({ start: '2020-09-12T21:05:00Z' });
  await fresh.run();
  const keys = puts(fresh);
  const at = (key: string) => keys.indexOf(key);
  expect(at('version/v1/diagnosis-keys/country/EUR/date')).toBeLessThan(at('version/v1/diagnosis-keys/country'));
  const country = 'version/v1/configuration/country';
  expect(at('version/v1/diagnosis-keys/country')).toBeLessThan(at(`${country}/DE/app_config`));
  expect(at(`${country}/DE/app_config`)).toBeLessThan(at(country));
});

test('D row 33: failed package, PUT of one package fails: index omits it, failure is told, next run heals', async () => {
  const w = await world();
  await w.run();
  w.submit(140);
  w.clock.set('2020-09-13T11:05:00Z');
  const failing = packageKey('DE', '2020-09-13', 10);
  w.store.failWhere(({ operation, key }) => operation === 'put' && key === failing);
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1, keysAssigned: 140 });
  expect(hourIndex(w.store, '2020-09-13', 'DE')).toEqual([]);
  expect(hourIndex(w.store, '2020-09-13', 'EUR')).toEqual([10]);
  expect(w.log.lines).toContainEqual(
    expect.objectContaining({ level: 'error', event: 'object-not-published', file: failing }),
  );
  expect(await report(w)).toMatchObject({ keysPublished: 0 });
  w.clock.set('2020-09-13T12:05:00Z');
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1 });
  expect(hourIndex(w.store, '2020-09-13', 'DE')).toEqual([11]);
  w.store.heal();
  w.store.forgetRequests();
  await w.run();
  expect(puts(w)).toEqual([failing, `${packageKey('DE', '2020-09-13')}/hour`]);
  expect(hourIndex(w.store, '2020-09-13', 'DE')).toEqual([10, 11]);
  expect((await openPackage(w.store, failing)).keys).toHaveLength(140);
  expect(await report(w)).toMatchObject({ keysPublished: 140 });
});

test('D rows 18, 33: days are listed ascending, also when an older one comes late', async () => {
  const w = await world({ start: '2020-09-12T21:05:00Z' });
  await w.run();
  const failing = packageKey('EUR', '2020-09-12');
  w.store.failWhere(({ operation, key }) => operation === 'put' && key === failing);
  for (const day of ['13', '14']) {
    w.clock.set(`2020-09-${day}T00:05:00Z`);
    expect(await runDistribution(w.deps)).toMatchObject({ failures: 1 });
  }
  expect(dateIndex(w.store, 'EUR')).toEqual(['2020-09-13']);
  w.store.heal();
  await w.run();
  expect(dateIndex(w.store, 'EUR')).toEqual(['2020-09-12', '2020-09-13']);
});

test('D row 34: abort limit, 6 failing objects abort; 5 do not', async () => {
  for (const [failing, aborts] of [
    [5, false],
    [6, true],
  ] as const) {
    const w = await world();
    let seen = 0;
    w.store.failWhere(({ operation }) => operation === 'put' && ++seen <= failing);
    const run = runDistribution(w.deps);
    if (aborts) await expect(run).rejects.toThrow('6 requests to the object store failed');
    else expect(await run).toMatchObject({ failures: 5 });
  }
});

test('D rows 36, 37, 39: store retention by own date, 14 days indexed, the day after that still there, check-in hours too', async () => {
  for (const daysToPublish of [14, 10]) {
    const w = await world({ start: '2020-09-01T00:05:00Z', rules: { daysToPublish } });
    await w.run();
    for (let day = 2; day <= 17; day++) {
      w.clock.set(Date.UTC(2020, 8, day, 0, 5));
      await w.run();
    }
    const objects = [...w.store.objects().keys()];
    const days = objects
      .map((key) => /DE\/date\/([\d-]{10})$/.exec(key)?.[1])
      .filter((day) => day !== undefined)
      .sort();
    expect(days).toEqual(Array.from({ length: 14 }, (_, i) => `2020-09-${String(i + 3).padStart(2, '0')}`));
    expect(dateIndex(w.store)).toEqual(days.slice(14 - daysToPublish));
    const hourDays = new Set(
      objects.map((key) => /DE\/date\/([\d-]{10})\/hour/.exec(key)?.[1]).filter((day) => day !== undefined),
    );
    expect([...hourDays].sort()).toEqual(['2020-09-16', '2020-09-17']);
    const warnings = objects
      .map((key) => Number(/twp\/country\/DE\/hour\/(\d+)$/.exec(key)?.[1]))
      .filter((hour) => hour > 0);
    const now = Math.floor(w.clock.nowMs() / 3_600_000);
    expect(Math.min(...warnings)).toBe(now - 14 * 24 + 1);
    expect(Math.max(...warnings)).toBe(now - 1);
  }
}, 120_000);

test('D row 38, D fault 7, decision 24: a key of UTC day K goes with the first run after the last day on which it may be published', async () => {
  const w = await world({ start: '2020-09-13T22:05:00Z' });
  await w.run();
  w.submit(140, { age: 14 });
  w.submit(140, { age: 13 });
  w.submit(3, { age: 15 });
  w.clock.set('2020-09-13T23:05:00Z');
  await w.run();
  expect(await w.database.rowCount('key_pool')).toBe(280);
  expect((await report(w)).excluded).toEqual([{ rule: 4, keyCount: 3 }]);
  w.clock.set('2020-09-14T00:05:00Z');
  await w.run();
  expect((await openPackage(w.store, packageKey('DE', '2020-09-13'))).keys).toHaveLength(280);
  expect(await w.database.rowCount('key_pool')).toBe(140);
  w.clock.set('2020-09-15T00:05:00Z');
  await w.run();
  expect(await w.database.rowCount('key_pool')).toBe(0);
});

test('D row 40: too many keys, one above the maximum: overflow moves on, alert, other files unaffected', async () => {
  const w = await world({ rules: { maximumKeys: 300 } });
  await w.run();
  const keys = w.submit(301);
  expect(await w.nextHour()).toMatchObject({ keysAssigned: 300, keysWaiting: 1 });
  expect(w.log.lines).toContainEqual(expect.objectContaining({ level: 'warn', event: 'keys-overflow', count: 1 }));
  w.submit(200);
  // The day holds its maximum, so all later keys wait for hour 0 of tomorrow.
  for (let hour = 12; hour <= 24; hour++) expect((await w.nextHour()).keysAssigned).toBe(0);
  expect(await w.nextHour()).toMatchObject({ keysAssigned: 201, keysWaiting: 0 });
  expect((await openPackage(w.store, packageKey('EUR', '2020-09-13'))).keys).toHaveLength(300);
  expect((await openPackage(w.store, packageKey('EUR', '2020-09-14', 0))).keyHex).toEqual(
    expect.arrayContaining([expect.any(String)]),
  );
  const published = (await openPackage(w.store, packageKey('EUR', '2020-09-13', 10))).keyHex;
  const last = (await openPackage(w.store, packageKey('EUR', '2020-09-14', 0))).keyHex;
  for (const { keyData } of keys) expect([...published, ...last]).toContain(keyData.toString('hex'));
});

test('D row 42: frozen clock, run started 10:59:59 and ending 11:00:05 is consistent', async () => {
  const w = await world({ start: '2020-09-13T09:05:00Z' });
  await w.run();
  w.submit(140);
  w.clock.set('2020-09-13T10:59:59Z');
  const put = w.store.put.bind(w.store);
  w.store.put = (...args) => {
    w.clock.advance(1_000);
    return put(...args);
  };
  await w.run();
  expect(w.clock.nowMs()).toBeGreaterThan(Date.parse('2020-09-13T11:00:02Z'));
  expect(hourIndex(w.store, '2020-09-13')).toEqual([9]);
  expect([...w.store.objects().keys()].filter((key) => key.endsWith('/hour/10'))).toEqual([]);
});

test('decision 25: after 24 h the pool is padded once; hour and day package, DE and EUR hold the same padding', async () => {
  const w = await world({ start: '2020-09-13T20:05:00Z' });
  await w.run();
  const keys = w.submit(10);
  for (let hour = 21; hour < 21 + 24; hour++) expect((await w.nextHour()).keysAssigned).toBe(0);
  const outcome = await w.nextHour();
  expect(outcome.keysAssigned).toBe(10);
  expect(outcome.paddingKeys).toBeGreaterThanOrEqual(130);
  expect(outcome.paddingKeys).toBeLessThanOrEqual(229);
  const hour = await openPackage(w.store, packageKey('DE', '2020-09-14', 20));
  expect(hour.keys).toHaveLength(10 + outcome.paddingKeys);
  for (const { keyData } of keys) expect(hour.keyHex).toContain(keyData.toString('hex'));
  // Padding cannot be told from real keys by its fields.
  expect(
    new Set(
      hour.keys.map((key) => `${key.rollingStartIntervalNumber}/${key.rollingPeriod}/${key.transmissionRiskLevel}`),
    ).size,
  ).toBe(1);
  w.clock.set('2020-09-15T00:05:00Z');
  await w.run();
  expect((await openPackage(w.store, packageKey('EUR', '2020-09-14'))).keyHex).toEqual(hour.keyHex);
  expect(await report(w)).toEqual({
    keysWaiting: 0,
    keysPublished: 10,
    paddingKeysPublished: outcome.paddingKeys,
    excluded: [],
  });
});

test('decision 26: windows missed by an outage are published empty; their keys go to the next open hour', async () => {
  const w = await world();
  await w.run();
  w.submit(200);
  w.clock.set('2020-09-13T15:05:00Z');
  await w.run();
  expect(hourIndex(w.store, '2020-09-13')).toEqual([10, 11, 12, 13, 14]);
  for (const hour of [10, 11, 12, 13])
    expect((await openPackage(w.store, packageKey('EUR', '2020-09-13', hour))).keys).toEqual([]);
  expect((await openPackage(w.store, packageKey('EUR', '2020-09-13', 14))).keys).toHaveLength(200);
  w.clock.set('2020-09-20T15:05:00Z');
  await w.run();
  expect(dateIndex(w.store)).toEqual([13, 14, 15, 16, 17, 18, 19].map((day) => `2020-09-${day}`));
});

test('while submission is down the hour stays open, what is decided is still published, and nothing is lost', async () => {
  const w = await world();
  await w.run();
  w.submit(200);
  w.submission.down = true;
  w.clock.set('2020-09-14T00:05:00Z');
  expect(await runDistribution(w.deps)).toMatchObject({ failures: 1, keysAssigned: 0 });
  expect(hourIndex(w.store, '2020-09-14')).toEqual([]);
  expect(dateIndex(w.store)).toEqual([]);
  w.submission.down = false;
  expect(await w.run()).toMatchObject({ keysAssigned: 200 });
  expect(dateIndex(w.store)).toEqual(['2020-09-13']);
});

test('D row 52: iOS all-or-nothing, every URL derivable from the indexes answers 200 at any moment of a run', async () => {
  const w = await world({ start: '2020-09-13T21:05:00Z' });
  let moments = 0;
  const check = () => {
    const objects = w.store.objects();
    for (const key of derivableKeys(w.store)) if (!objects.has(key)) throw new Error(`${key} is named and missing`);
    moments++;
  };
  for (const operation of ['put', 'delete'] as const) {
    const original = w.store[operation].bind(w.store) as (...args: unknown[]) => Promise<never>;
    (w.store as unknown as Record<string, unknown>)[operation] = async (...args: unknown[]) => {
      check();
      const answer = await original(...args);
      check();
      return answer;
    };
  }
  await w.run();
  for (let hour = 0; hour < 30; hour++) {
    w.submit(60);
    await w.nextHour();
  }
  for (let day = 16; day < 31; day++) {
    w.clock.set(Date.UTC(2020, 8, day, 0, 5));
    await w.run();
  }
  expect(moments).toBeGreaterThan(300);
  expect(derivableKeys(w.store).length).toBeGreaterThan(200);
}, 120_000);
