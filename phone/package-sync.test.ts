import { beforeEach, expect, test } from 'vitest';
import { dayName, utcDay } from '../lib/exposure/intervals.ts';
import { seededRandom } from '../lib/random/random.ts';
import { FakeServer } from './fixtures/fake-server.ts';
import { PackageCache } from './package-cache.ts';
import { type SyncOutcome, syncPackages } from './package-sync.ts';
import { retryDelayMs } from './schedule.ts';

const MIDNIGHT = 1_599_955_200;
const DATE = (age: number): string => dayName(utcDay(MIDNIGHT) - age);
const BASE = '/version/v1/diagnosis-keys/country/EUR/date';
let server: FakeServer;
let cache: PackageCache;

async function publishDays(...ages: number[]): Promise<void> {
  for (const age of ages) await server.publish(DATE(age), []);
  server.index('', ages.map(DATE).sort());
}
async function publishHours(...hours: number[]): Promise<void> {
  for (const hour of hours) await server.publish(`${DATE(0)}/hour/${hour}`, []);
  server.index(`${DATE(0)}/hour`, hours);
}
function sync(secondsOfDay: number, options: { metered?: boolean; revoked?: string[] } = {}): Promise<SyncOutcome> {
  server.log.length = 0;
  return syncPackages({
    http: server.http,
    cache,
    region: 'EUR',
    nowSeconds: MIDNIGHT + secondsOfDay,
    metered: options.metered === true,
    revokedEtags: new Set(options.revoked),
  });
}
function checkAll(): void {
  for (const { path } of cache.unchecked()) cache.markChecked(path);
}

beforeEach(() => {
  server = new FakeServer(MIDNIGHT);
  cache = new PackageCache();
});

test('D row 51: client simulation, catch-up (D-3, D-4): all packages of 14 days in one session, days before hours; request log as specified, no package twice', async () => {
  const ages = Array.from({ length: 14 }, (_, i) => 14 - i);
  await publishDays(...ages);
  await publishHours(0, 1, 2, 10);
  expect(await sync(11 * 3600 + 60)).toEqual({ complete: true, failed: [] });
  expect(server.log).toEqual([
    'days',
    ...ages.map(DATE),
    `${DATE(0)}/hour`,
    ...[0, 1, 2, 10].map((hour) => `${DATE(0)}/hour/${hour}`),
  ]);
  expect(cache.unchecked()).toHaveLength(18);
  checkAll();
  await sync(11 * 3600 + 120);
  expect(server.log).toEqual([]);
});

test('D row 51: no request when nothing is new, index economy (D-5): the day index only when yesterday is missing, the hour index only when the hour before now is missing', async () => {
  await publishDays(1);
  await publishHours(0);
  await sync(3660);
  expect(server.log).toContain('days');
  await publishHours(0, 1);
  await sync(7260);
  expect(server.log).toEqual([`${DATE(0)}/hour`, `${DATE(0)}/hour/1`]);
  await sync(7300);
  expect(server.log).toEqual([]);
});

test('a metered line skips the hours (D-4)', async () => {
  await publishDays(1);
  await publishHours(0);
  await sync(3660, { metered: true });
  expect(server.log).toEqual(['days', DATE(1)]);
});

test('a day package makes the cached hours of that day obsolete; cached items no longer listed are deleted (D-4)', async () => {
  await publishDays(1, 2);
  await publishHours(0, 1);
  await sync(7260);
  await server.publish(DATE(0), []);
  server.index('', [DATE(1), DATE(0)]);
  await sync(86_400 + 60);
  expect(
    cache
      .days()
      .map(({ date }) => date)
      .sort(),
  ).toEqual([DATE(1), DATE(0)]);
  expect(cache.hours(DATE(0))).toEqual([]);
});

test('D-6: a response without a single ETag is an error, fetched again next time; siblings stay', async () => {
  await publishDays(1, 2);
  const path = `${BASE}/${DATE(2)}`;
  for (const etag of [undefined, '"a", "b"', 'bare']) {
    server.objects.set(path, { body: Buffer.alloc(1), etag });
    expect(await sync(60)).toEqual({ complete: false, failed: [path] });
  }
  await publishDays(1, 2);
  expect(await sync(61)).toEqual({ complete: true, failed: [] });
  expect(server.log).toEqual(['days', DATE(2), `${DATE(0)}/hour`]);
});

test('D-6: a checked package is never fetched again though its body is gone', async () => {
  await publishDays(1);
  await sync(60);
  checkAll();
  expect(cache.days()[0]?.body).toBeUndefined();
  cache.mustAskIndexes = true;
  await sync(61);
  expect(server.log).toEqual(['days', `${DATE(0)}/hour`]);
});

test('D-6: a revoked ETag is compared as it comes; the package is dropped and the corrected one fetched', async () => {
  await publishDays(1);
  await sync(60);
  checkAll();
  const revoked = [`"${DATE(1)}"`, DATE(1)];
  expect((await sync(61, { revoked })).complete).toBe(false);
  await server.publish(DATE(1), [], '"corrected"');
  expect((await sync(62, { revoked })).complete).toBe(true);
  expect(cache.unchecked().map(({ etag }) => etag)).toEqual(['"corrected"']);
});

test('D-7: 404 for an hour or day index is not an error; other failures ask both indexes again', async () => {
  expect((await sync(60)).complete).toBe(true);
  await publishDays(1);
  server.broken.add(`${BASE}/${DATE(0)}/hour`);
  expect(await sync(61)).toEqual({ complete: false, failed: [`${BASE}/${DATE(0)}/hour`] });
  server.broken.clear();
  await sync(62);
  expect(server.log).toEqual(['days', `${DATE(0)}/hour`]);
});

test('an index that is no list of days or hours adds nothing', async () => {
  server.index('', ['../../x', 5, null, '2020-13-01', DATE(0), DATE(15)]);
  server.index(`${DATE(0)}/hour`, [24, -1, 1.5, 'x']);
  expect((await sync(60)).complete).toBe(true);
  expect(server.log).toEqual(['days', `${DATE(0)}/hour`]);
  server.objects.set(BASE, { body: Buffer.from('<html>'), etag: '"x"' });
  expect((await sync(61)).failed).toEqual([BASE]);
});

test('retry (D-7): failing server, growing jittered waits, nothing skipped', async () => {
  await publishDays(1, 2, 3);
  const random = seededRandom('retry');
  for (const age of [1, 2, 3]) server.broken.add(`${BASE}/${DATE(age)}`);
  const waits: number[] = [];
  for (let failures = 1; failures <= 3; failures++) {
    const { failed } = await sync(60 + failures);
    expect(failed).toHaveLength(4 - failures);
    waits.push(retryDelayMs(failures, random) / 60_000);
    server.broken.delete(`${BASE}/${DATE(failures)}`);
  }
  for (const [i, wait] of waits.entries()) {
    expect(wait).toBeGreaterThanOrEqual(4 * 2 ** i);
    expect(wait).toBeLessThan(12 * 2 ** i);
  }
  expect((await sync(70)).complete).toBe(true);
  expect(cache.days()).toHaveLength(3);
});

test('packages older than 14 days leave the cache; the newest package counts as of the end of its hour or day', async () => {
  await publishDays(14);
  await sync(60);
  expect(cache.newestSeconds()).toBe(MIDNIGHT - 13 * 86_400 - 1);
  await publishHours(0);
  await sync(3660);
  expect(cache.newestSeconds()).toBe(MIDNIGHT + 3600);
  cache.dropObsolete(MIDNIGHT + 86_400);
  expect(cache.days()).toEqual([]);
});
