import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type TestPki, testPki } from '../../testing/pki.ts';
import { testCollector } from '../../testing/security-collector.ts';
import { recordedMetrics } from '../../testing/telemetry.ts';
import { systemClock } from '../../time/clock.ts';
import { jsonLog } from '../log.ts';
import type { SecurityEvent } from '../security.ts';
import { type FeedOptions, openSecurityFeed } from './feed.ts';
import type { CollectorSettings } from './settings.ts';

const quick = { gatherMs: 5, backoffMs: 10, longestBackoffMs: 50, lastAttemptMs: 500 };

let pki: TestPki;
beforeAll(async () => {
  pki = await testPki();
});
afterAll(() => pki.remove());

/** A collector and a folder of a process, whose feed may be opened again and again. */
async function surroundings(process = 'gateway') {
  const collector = await testCollector(pki);
  onTestFinished(() => collector.close());
  const folder = mkdtempSync(join(tmpdir(), 'cwa-feed-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const metrics = recordedMetrics(process);
  const lines: string[] = [];
  const log = jsonLog(
    process,
    () => new Date(),
    (line) => lines.push(line),
  );
  const files = await pki.files(process);
  const open = (
    { repeatsMs = 60_000, ...changed }: Partial<CollectorSettings> & { repeatsMs?: number } = {},
    options: Partial<FeedOptions> = {},
  ) => {
    const to = { url: collector.url(), files, bufferDir: folder, bufferBytes: 10_000_000, ...changed };
    const pace = { ...quick, repeatsMs };
    const feed = openSecurityFeed({
      process,
      settings: { collector: to },
      clock: systemClock,
      log,
      metrics,
      pace,
      ...options,
    });
    let closing: Promise<void> | undefined;
    const close = () => (closing ??= feed.close());
    onTestFinished(close);
    return { ...feed, close };
  };
  return { collector, folder, metrics, lines, open };
}

const expiring = (days: number): SecurityEvent => ({ type: 'certificate-expiring', certificate: 'mesh', days });
const days = (records: readonly object[]): unknown[] => records.map((record) => (record as { days?: number }).days);

test('an event arrives with id, time, process, type and its fields', async () => {
  const { collector, metrics, open } = await surroundings();
  open().report({ type: 'partner-refused', reason: 'unlisted' });

  await collector.until(() => collector.taken.length === 1);
  expect(collector.taken[0]).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    process: 'gateway',
    type: 'partner-refused',
    reason: 'unlisted',
    count: 1,
  });
  expect(await metrics.seen('cwa.security.events', { 'cwa.security.event': 'partner-refused' })).toBe(1);
});

test('events wait for a collector that is away, in order; the backlog is seen and goes', async () => {
  const { collector, metrics, lines, open } = await surroundings();
  await collector.close();
  const feed = open();
  for (let day = 1; day <= 1_200; day++) feed.report(expiring(day % 2 === 0 ? day : -day));
  await collector.until(() => lines.some((line) => line.includes('security-feed-waits')));
  expect(await metrics.seen('cwa.security.feed.backlog')).toBeGreaterThan(10_000);

  await collector.open();
  await collector.until(() => collector.taken.length >= 501);
  await collector.until(() => lines.some((line) => line.includes('security-feed-delivers')));
  expect(collector.requests.every((request) => request.length <= 500)).toBe(true);
  expect(await metrics.seen('cwa.security.feed.backlog')).toBe(0);
  const told = days(collector.once()).filter((day) => day !== undefined) as number[];
  expect(told.map(Math.abs)).toEqual(told.map((_, index) => index + 1));
});

test('a collector that answers 503, 401 or 404, or breaks off, gets the events again', async () => {
  const { collector, open } = await surroundings();
  const statuses = [503, 401, 404, 302];
  collector.answer = () => statuses.shift() ?? 200;
  const feed = open();
  feed.report(expiring(1));
  feed.report(expiring(2));

  await collector.until(() => collector.taken.length >= 2);
  expect(days(collector.taken)).toEqual([1, 2]);
  expect(collector.requests.length).toBeGreaterThanOrEqual(5);
});

test('what was not taken is sent by the next start', async () => {
  const { collector, open } = await surroundings();
  await collector.close();
  const first = open();
  first.report(expiring(1));
  await first.close();

  await collector.open();
  open().report(expiring(2));
  await collector.until(() => collector.taken.length === 2);
  expect(days(collector.taken)).toEqual([1, 2]);
});

test('a stop sends the last events', async () => {
  const { collector, open } = await surroundings();
  const feed = open();
  feed.report({ type: 'process-stopped', version: '0.1.0' });
  await feed.close();
  expect(collector.taken).toMatchObject([{ type: 'process-stopped', version: '0.1.0' }]);
});

test('events alike are folded into one a minute, with their number; a flood leaves two lines', async () => {
  const { collector, open, metrics } = await surroundings();
  const feed = open({ repeatsMs: 300 });
  for (let times = 0; times < 10_000; times++) feed.report({ type: 'partner-refused', reason: 'unlisted' });
  feed.report({ type: 'partner-refused', reason: 'route', partner: 'local-lab' });

  await collector.until(() => collector.taken.length === 3);
  expect(collector.taken.map(({ reason, count }) => ({ reason, count }))).toEqual([
    { reason: 'unlisted', count: 1 },
    { reason: 'route', count: 1 },
    { reason: 'unlisted', count: 9_999 },
  ]);
  expect(await metrics.seen('cwa.security.events')).toBe(10_001);
});

test('the buffer has a bound: the oldest go, which is counted and told once there is space', async () => {
  const { collector, folder, metrics, open } = await surroundings();
  await collector.close();
  const feed = open({ bufferBytes: 16_384 });
  for (let day = 1; day <= 400; day++) feed.report(expiring(day));
  const slot = join(folder, 'gateway', '1');
  const onDisk = () => readdirSync(slot).filter((name) => name.endsWith('.ndjson'));
  expect(onDisk().reduce((sum, name) => sum + readFileSync(join(slot, name)).length, 0)).toBeLessThanOrEqual(16_384);

  await collector.open();
  await collector.until(() => collector.once().some(({ type }) => type === 'events-lost'));
  const [lost] = collector.once().filter(({ type }) => type === 'events-lost');
  const arrived = days(collector.once()).filter((day) => day !== undefined);
  expect(arrived).toEqual(Array.from({ length: arrived.length }, (_, index) => 401 - arrived.length + index));
  expect(lost).toMatchObject({ reason: 'buffer-full', lost: 400 - arrived.length });
  expect(await metrics.seen('cwa.security.feed.dropped')).toBe(400 - arrived.length);
});

test('an event that the collector refuses for good is set aside and told; the others around it arrive', async () => {
  const { collector, folder, metrics, open } = await surroundings();
  collector.answer = (sent) => (sent.some((line) => line.includes('"days":7,')) ? 422 : 200);
  const feed = open();
  for (let day = 1; day <= 20; day++) feed.report(expiring(day));

  await collector.until(() => collector.once().some(({ type }) => type === 'events-lost'));
  const all = Array.from({ length: 20 }, (_, index) => index + 1);
  expect(days(collector.once()).filter((day) => day !== undefined)).toEqual(all.filter((day) => day !== 7));
  expect(collector.once()).toContainEqual(expect.objectContaining({ reason: 'refused', lost: 1 }));
  expect(readFileSync(join(folder, 'gateway', '1', 'refused.ndjson'), 'utf8')).toContain('"days":7,');
  expect(await metrics.seen('cwa.security.feed.dropped')).toBe(1);
});

test('a collector that refuses everything does not go on for ever', async () => {
  const { collector, metrics, open } = await surroundings();
  collector.answer = () => 400;
  const feed = open();
  feed.report(expiring(1));
  await collector.until(() => collector.requests.length >= 10);
  await collector.until(() => collector.requests.some((request) => request[0]?.includes('events-lost') === true));
  await feed.close();
  expect(await metrics.seen('cwa.security.feed.dropped')).toBe(1);
});

test('nobody but the real collector gets events, and it learns who sends them', async () => {
  const { collector, lines, open } = await surroundings();
  const stranger = await testPki('another CA');
  onTestFinished(() => stranger.remove());
  const { caFile } = await stranger.files('gateway');
  const feed = open({ files: { ...(await pki.files('gateway')), caFile } });
  feed.report(expiring(1));
  await collector.until(() => lines.some((line) => line.includes('security-feed-waits')));
  await feed.close();
  expect(collector.requests).toEqual([]);

  const { certFile, keyFile } = await stranger.files('gateway');
  const unknown = open({ files: { certFile, keyFile, caFile: (await pki.files('gateway')).caFile } });
  unknown.report(expiring(2));
  await unknown.close();
  expect(collector.requests).toEqual([]);
});

test('a certificate that is renewed is used without a restart, and is told of itself', async () => {
  const { collector, open } = await surroundings('distribution');
  const feed = open();
  feed.report(expiring(1));
  await collector.until(() => collector.taken.length === 1);
  await pki.renew('distribution');
  await collector.until(() => collector.taken.length === 2);
  expect(collector.taken[1]).toMatchObject({ type: 'certificate-reloaded', certificate: 'security-feed' });
});

test('two replicas share a folder without meeting; what one leaves behind another sends', async () => {
  const { collector, folder, open } = await surroundings();
  await collector.close();
  const [first, second] = [open(), open()];
  first.report(expiring(1));
  second.report(expiring(2));
  expect(readdirSync(join(folder, 'gateway')).sort()).toEqual(['1', '2']);
  await Promise.all([first.close(), second.close()]);
  // What a killed one would have left beside its segments.
  writeFileSync(join(folder, 'gateway', '2', 'lost.json'), '[["disk",5]]');
  writeFileSync(join(folder, 'gateway', '2', 'repeats.json'), JSON.stringify([{ id: 'r', days: 3, count: 4 }]));

  await collector.open();
  open();
  await collector.until(() => collector.taken.length === 4);
  expect(days(collector.taken).sort()).toEqual([1, 2, 3, undefined]);
  expect(collector.taken).toContainEqual(expect.objectContaining({ type: 'events-lost', reason: 'disk', lost: 5 }));
  expect(readdirSync(join(folder, 'gateway', '2'))).toEqual(['lock']);
});

test('a folder that cannot be used is named with its setting', async () => {
  const { folder, open } = await surroundings();
  expect(() => open({ bufferDir: join(folder, 'a', 'b') })).toThrow(/^SECURITY_FEED_BUFFER_DIR: .*cannot be used/);
  for (let replica = 0; replica < 16; replica++) open();
  expect(() => open()).toThrow(/^SECURITY_FEED_BUFFER_DIR: 16 processes already use/);
});

test('without a collector events are lines of the log, folded too, and nothing is kept', async () => {
  const { lines, open } = await surroundings();
  const feed = open({}, { settings: {} });
  for (let times = 0; times < 5; times++) feed.report({ type: 'overload', route: '/version/v1/tan' });
  await feed.close();
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual([
    expect.objectContaining({ event: 'security-event', type: 'overload', route: '/version/v1/tan', count: 1 }),
    expect.objectContaining({ event: 'security-event', type: 'overload', route: '/version/v1/tan', count: 4 }),
  ]);
});
