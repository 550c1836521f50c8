import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { recordingLog } from '../../lib/testing/rpc.ts';
import { anAnswer } from '../fixtures/answers.ts';
import { History, maxSeries } from './history.ts';
import { loadHistory, saveHistory } from './history-file.ts';
import type { Kept } from './kept.ts';
import { openHistory } from './open-history.ts';
import { hourMs, hourSlots, minuteMs, minuteSlots, Series } from './series.ts';

const startMs = Date.parse('2026-03-01T10:00:00Z');
const minute = startMs / minuteMs;
const kept: readonly Kept[] = [{ metric: 'cwa.gateway.requests' }, { metric: 'cwa.gateway.fake.share' }];
const folder = mkdtempSync(join(tmpdir(), 'cwa-history-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const row = { 'http.route': 'upload', 'cwa.outcome': 'answered' };
const selection = { process: 'gateway', metric: 'cwa.gateway.requests' } as const;

interface Teller {
  readonly instance?: string;
  readonly startedAt?: Date;
}
const tell = (
  history: History,
  atMs: number,
  value: number,
  { instance = 'a', startedAt = new Date(startMs - hourMs) }: Teller = {},
) =>
  history.take(
    'gateway',
    kept,
    anAnswer({ process: 'gateway', instance, startedAt, metrics: { 'cwa.gateway.requests': [[row, value]] } }),
    atMs,
  );
const minutes = (history: History, count: number) => history.read(selection, 'minute', minute, count);

test('what an instance had counted before it was first seen is not news; what it adds is', () => {
  const history = new History();
  tell(history, startMs, 500);
  tell(history, startMs + minuteMs, 520);
  tell(history, startMs + 3 * minuteMs, 525);
  expect(minutes(history, 4)).toEqual([0, 20, Number.NaN, 5]);
  expect(history.read(selection, 'hour', startMs / hourMs, 1)).toEqual([25]);
});

test('what begins after the watch began counts from 0, as first of its process too', () => {
  const history = new History();
  history.take('ops-api', [], anAnswer({ process: 'ops-api' }), startMs);
  tell(history, startMs + minuteMs, 70, { startedAt: new Date(startMs + 1_000) });
  tell(history, startMs + 2 * minuteMs, 75, { startedAt: new Date(startMs + 1_000) });
  expect(minutes(history, 3)).toEqual([Number.NaN, 70, 5]);
});

test('replicas are summed; one that begins while others are watched counts from 0; one that begins anew goes on', () => {
  const history = new History();
  tell(history, startMs, 100);
  tell(history, startMs + minuteMs, 110);
  tell(history, startMs + minuteMs, 40, { instance: 'b', startedAt: new Date(startMs + minuteMs / 2) });
  tell(history, startMs + 2 * minuteMs, 5);
  expect(minutes(history, 3)).toEqual([0, 50, 5]);
  expect(history.samples('gateway', 'minute', minute, 3)).toEqual([1, 2, 1]);
});

test('a row that a known instance tells for the first time is all news; one that it leaves out once is not counted anew', () => {
  const history = new History();
  const rules: readonly Kept[] = [{ metric: 'cwa.security.events' }];
  const take = (atMs: number, rows: readonly (readonly [string, number])[]) => {
    const told = rows.map(([kind, value]) => [{ 'cwa.security.event': kind }, value] as const);
    const answer = anAnswer({ process: 'gateway', metrics: { 'cwa.security.events': told } });
    history.take('gateway', rules, answer, atMs);
  };
  take(startMs, []);
  take(startMs + minuteMs, [['overload', 7]]);
  take(startMs + 2 * minuteMs, []);
  take(startMs + 3 * minuteMs, [['overload', 8]]);
  expect(history.read({ process: 'gateway', metric: 'cwa.security.events' }, 'minute', minute, 4)).toEqual([
    0, 7, 0, 1,
  ]);
});

test('a number that a table keeps is counted once, however many replicas tell it, and after a restart', () => {
  const history = new History();
  const shared: readonly Kept[] = [{ metric: 'cwa.distribution.keys.published', shared: true }];
  const take = (atMs: number, instance: string, value: number) =>
    history.take(
      'distribution',
      shared,
      anAnswer({
        process: 'distribution',
        instance,
        startedAt: new Date(atMs),
        metrics: { 'cwa.distribution.keys.published': [[{ 'cwa.key.kind': 'diagnosis' }, value]] },
      }),
      atMs,
    );
  take(startMs, 'a', 1_000);
  take(startMs + minuteMs, 'a', 1_100);
  take(startMs + minuteMs, 'b', 1_100);
  take(startMs + 2 * minuteMs, 'c', 1_150);
  const published = { process: 'distribution', metric: 'cwa.distribution.keys.published' } as const;
  expect(history.read(published, 'minute', minute, 3)).toEqual([0, 100, 50]);
});

test('a gauge shows its highest; nothing told is nothing known', () => {
  const history = new History();
  const share = (atMs: number, value: number) =>
    history.take(
      'gateway',
      kept,
      anAnswer({ process: 'gateway', metrics: { 'cwa.gateway.fake.share': [[{}, value]] } }),
      atMs,
    );
  share(startMs, 0.4);
  share(startMs + 1, 0.6);
  share(startMs + 2, 0.5);
  const fakes = { process: 'gateway', metric: 'cwa.gateway.fake.share' } as const;
  expect(history.read(fakes, 'minute', minute, 2)).toEqual([0.6, Number.NaN]);
  // Told nothing of late answers yet, while it told of others.
  const late = { process: 'gateway', metric: 'cwa.gateway.answer.late' } as const;
  expect(history.read(late, 'minute', minute, 1)).toEqual([Number.NaN]);
  expect(history.read({ ...fakes, process: 'submission' }, 'minute', minute, 1)).toEqual([Number.NaN]);
});

test('buckets of a histogram and calls by service are kept as the rule says', () => {
  const history = new History();
  const rules: readonly Kept[] = [
    { metric: 'rpc.server.call.duration', by: ['rpc.service'], without: { 'rpc.service': 'ours' } },
    { metric: 'cwa.lab.result.delay', buckets: true },
  ];
  const take = (atMs: number, count: number) =>
    history.take(
      'gateway',
      rules,
      anAnswer({
        process: 'gateway',
        metrics: {
          'rpc.server.call.duration': [
            [{ 'rpc.service': 'a', 'rpc.method': 'x' }, [count, count]],
            [{ 'rpc.service': 'a', 'rpc.method': 'y' }, [count, 0]],
            [{ 'rpc.service': 'ours', 'rpc.method': 'z' }, [count, 0]],
          ],
          'cwa.lab.result.delay': [[{ 'cwa.partner': 'lab' }, [0, count, 0]]],
        },
      }),
      atMs,
    );
  take(startMs, 0);
  take(startMs + minuteMs, 10);
  expect(history.read({ process: 'gateway', metric: 'rpc.server.call.duration' }, 'minute', minute + 1, 1)).toEqual([
    30,
  ]);
  const delays = { process: 'gateway', metric: 'cwa.lab.result.delay', where: { le: '1' } } as const;
  expect(history.read(delays, 'minute', minute + 1, 1)).toEqual([10]);
});

test('a bucket that loses a step to its neighbour is no new beginning', () => {
  const history = new History();
  const rules: readonly Kept[] = [{ metric: 'cwa.lab.result.delay', buckets: true }];
  const take = (atMs: number, counts: readonly number[]) => {
    const metrics = { 'cwa.lab.result.delay': [[{ 'cwa.partner': 'lab' }, counts] as const] };
    history.take('gateway', rules, anAnswer({ process: 'gateway', metrics }), atMs);
  };
  take(startMs, [0, 50, 0]);
  take(startMs + minuteMs, [5, 45, 0]);
  take(startMs + 2 * minuteMs, [5, 45, 5]);
  const upTo = (le: number) =>
    history.read(
      { process: 'gateway', metric: 'cwa.lab.result.delay', where: { le: String(le) } },
      'minute',
      minute,
      3,
    );
  expect([upTo(0), upTo(1), upTo(2)]).toEqual([
    [0, 5, 0],
    [0, 0, 0],
    [0, 0, 5],
  ]);
});

test('memory is bounded: rings of 48 hours and 40 days, and so many series', () => {
  const history = new History();
  const [one] = kept;
  for (const at of [0, 1]) {
    const rows = Array.from({ length: maxSeries + 50 }, (_, name) => [{ 'http.route': String(name) }, at * 5] as const);
    history.take(
      'gateway',
      one ? [one] : [],
      anAnswer({ process: 'gateway', metrics: { 'cwa.gateway.requests': rows } }),
      startMs + at * minuteMs,
    );
  }
  expect(history.entries().series).toHaveLength(maxSeries);
  expect(history.refused).toBe(51);
  expect(maxSeries * (minuteSlots + hourSlots) * 4).toBeLessThan(24_000_000);
});

test('a ring tells what a list would, for random minutes, and forgets what is too old', () => {
  const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 1, max: 9 })), {
    minLength: 1,
    maxLength: 30,
  });
  fc.assert(
    fc.property(steps, (given) => {
      const series = new Series('counter', minute);
      const list = new Map<number, number>();
      let at = minute;
      for (const [wait, value] of given) {
        at += wait;
        series.add(at, value * 5);
        list.set(at, (list.get(at) ?? 0) + value * 5);
      }
      const count = at - minute + 1;
      const expected = Array.from({ length: count }, (_, slot) =>
        minute + slot <= at - minuteSlots ? Number.NaN : (list.get(minute + slot) ?? 0),
      );
      expect(series.read('minute', minute, count)).toEqual(expected);
      const total = [...list.values()].reduce((sum, value) => sum + value, 0);
      const hours = series.read('hour', Math.floor(minute / 60), Math.floor(at / 60) - Math.floor(minute / 60) + 1);
      expect(hours.reduce((sum, value) => sum + value, 0)).toBe(total);
    }),
    { numRuns: 200 },
  );
});

test('the file brings back what was known, and what instances last told: nothing is counted twice or lost', () => {
  const file = join(folder, 'kept', 'history.json');
  const history = new History();
  tell(history, startMs, 100);
  tell(history, startMs + minuteMs, 130);
  saveHistory(file, history);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { history: again, state } = loadHistory(file);
  expect(state).toBe('read');
  tell(again, startMs + 10 * minuteMs, 150);
  tell(again, startMs + 10 * minuteMs, 15, { instance: 'new', startedAt: new Date(startMs + 5 * minuteMs) });
  expect(minutes(again, 2)).toEqual([0, 30]);
  expect(again.read(selection, 'minute', minute + 10, 1)).toEqual([35]);
  expect(again.read(selection, 'hour', startMs / hourMs, 1)).toEqual([65]);
});

test('a file that cannot be read begins anew with a warning, and is replaced; without one nothing is written', () => {
  const log = recordingLog();
  const file = join(folder, 'broken.json');
  for (const text of [
    '{',
    '{"version":2}',
    '[]',
    JSON.stringify({ version: 1, headMinute: 1, series: [{ process: 7 }], told: [] }),
  ]) {
    writeFileSync(file, text);
    const opened = openHistory(file, log);
    expect(log.lines.at(-1)).toMatchObject({ event: 'history-unreadable' });
    expect(opened.history.entries().series).toEqual([]);
    opened.save();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ version: 1, series: [] });
  }
  const before = log.lines.length;
  openHistory(join(folder, 'absent.json'), log);
  openHistory(undefined, log).save();
  expect(log.lines).toHaveLength(before);
  openHistory(join(folder, 'broken.json', 'below-a-file.json'), log).save();
  expect(log.lines.at(-1)).toMatchObject({ level: 'error', event: 'history-not-saved' });
});
