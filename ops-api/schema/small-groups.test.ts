import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fakeClock } from '../../lib/testing/clock.ts';
import { anAnswer } from '../fixtures/answers.ts';
import { History } from '../history/history.ts';
import { hourMs } from '../history/series.ts';
import { guardedCount } from './figures.ts';
import { restIsTold, toldDay, toldHour, toldSum } from './small-groups.ts';
import { type Resolution, windowOf } from './window.ts';

const step = 5;
const top = 4 * step;

test('an hour is told from 5 steps on, 0 is hidden like the others', () => {
  expect(toldHour(0, step)).toEqual({ value: null, suppressed: true, atLeast: false });
  expect(toldHour(20, step).value).toBeNull();
  expect(toldHour(25, step)).toEqual({ value: 25, suppressed: false, atLeast: false });
  expect(toldHour(749, 150).value).toBeNull();
  expect(toldHour(750, 150).value).toBe(750);
});

test('a day tells its hidden hours as one group where none of them can be worked out', () => {
  expect(toldDay([5, 10, 15, ...Array<number>(21).fill(0)], step)).toEqual({
    value: 30,
    suppressed: false,
    atLeast: false,
  });
  expect(toldDay([100, 5, 15, ...Array<number>(21).fill(0)], step)).toEqual({
    value: 100,
    suppressed: false,
    atLeast: true,
  });
  expect(toldDay([5, 15, ...Array<number>(22).fill(0)], step).suppressed).toBe(true);
  // Two hidden hours of at most 20 that add up to 40 would both be known.
  expect(restIsTold([20, 20, ...Array<number>(22).fill(50)], step)).toBe(false);
  expect(toldDay([20, 20, ...Array<number>(22).fill(50)], step)).toEqual({
    value: 1_100,
    suppressed: false,
    atLeast: true,
  });
  expect(toldDay(Array<number>(24).fill(20), step).suppressed).toBe(true);
});

test('a range of nothing is nothing; of hidden parts hidden; of some a lower bound', () => {
  expect(toldSum([])).toEqual({ value: null, suppressed: false, atLeast: false });
  expect(toldSum([toldHour(5, step)]).suppressed).toBe(true);
  expect(toldSum([toldHour(5, step), toldHour(50, step)])).toEqual({ value: 50, suppressed: false, atLeast: true });
});

/**
 * Another table that must look the same: hour `at` has the value `value` instead, and other hidden hours of its day make
 * up for it. undefined: there is none.
 */
function alternative(day: readonly number[], at: number, value: number): number[] | undefined {
  const other = [...day];
  let missing = (day[at] ?? 0) - value;
  other[at] = value;
  if (!restIsTold(day, step)) {
    // The group is not told: any other one that is not told either looks the same.
    const hidden = day.flatMap((own, hour) => (own <= top && hour !== at ? [hour] : []));
    const rest = day.filter((own) => own <= top).reduce((sum, own) => sum + own, 0);
    const few = rest < 5 * step;
    for (const hour of hidden) other[hour] = few ? 0 : top;
    if (few) return other;
    if (!restIsTold(other, step)) return other;
    for (const hour of hidden) other[hour] = 0;
    return other;
  }
  for (const [hour, own] of other.entries()) {
    if (missing === 0) break;
    if (hour === at || own > top) continue;
    const moved = Math.max(-own, Math.min(top - own, missing));
    other[hour] = own + moved;
    missing -= moved;
  }
  return missing === 0 ? other : undefined;
}

const startMs = Date.parse('2026-03-01T00:00:00Z');
const cell = { 'cwa.partner': 'lab', 'cwa.outcome': 'stored' };
const selection = { process: 'gateway', metric: 'cwa.lab.results', where: cell } as const;

/** A history with these values, hour by hour from the start on. */
function historyOf(hours: readonly number[]): History {
  const history = new History();
  let sum = 0;
  [0, ...hours].forEach((value, at) => {
    sum += value;
    const answer = anAnswer({ process: 'gateway', metrics: { 'cwa.lab.results': [[cell, sum]] } });
    history.take('gateway', [{ metric: 'cwa.lab.results' }], answer, startMs + (at - 1) * hourMs + 30 * 60_000);
  });
  return history;
}

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 5, 10, 15, 20) },
  { weight: 1, arbitrary: fc.integer({ min: 5, max: 40 }).map((steps) => steps * step) },
);
const day = fc.array(value, { minLength: 24, maxLength: 24 });
const ranges = fc.array(
  fc.record({
    from: fc.integer({ min: 0, max: 71 * 60 }),
    length: fc.integer({ min: 1, max: 72 * 60 }),
    resolution: fc.constantFrom<Resolution>('MINUTE', 'FIVE_MINUTES', 'HOUR', 'DAY'),
  }),
  { minLength: 1, maxLength: 25 },
);

describe('no ranges, subtracted or not, show a hidden figure', () => {
  test('whatever a hidden hour is, from 0 to 4 steps, all answers are the same', () => {
    let shown = 0;
    fc.assert(
      fc.property(
        fc.array(day, { minLength: 3, maxLength: 3 }),
        fc.nat(71),
        fc.constantFrom(0, 5, 10, 15, 20),
        ranges,
        fc.integer({ min: 1, max: 75 }),
        (days, hour, instead, asked, nowHour) => {
          const own = days[Math.floor(hour / 24)] ?? [];
          if ((own[hour % 24] ?? 0) > top) return;
          const other = alternative(own, hour % 24, instead);
          expect(other, 'there is always another table').toBeDefined();
          const changed = days.map((list, at) => (at === Math.floor(hour / 24) ? (other ?? []) : list));
          const clock = fakeClock(startMs + nowHour * hourMs);
          const [one, two] = [historyOf(days.flat()), historyOf(changed.flat())];
          for (const { from, length, resolution } of asked) {
            const [begin, end] = [startMs + from * 60_000, startMs + (from + length) * 60_000];
            if (begin >= clock.nowMs()) continue;
            const window = windowOf({ from: new Date(begin), to: new Date(end), resolution }, clock.nowMs());
            const told = guardedCount({ history: one, clock }, window, selection);
            expect(guardedCount({ history: two, clock }, window, selection)).toEqual(told);
            if (told.total !== null) shown++;
          }
        },
      ),
      { numRuns: 400 },
    );
    expect(shown, 'answers told something at all').toBeGreaterThan(200);
  });

  test('what was told once is told the same later, however the hours that were open then ended', () => {
    fc.assert(
      fc.property(fc.array(day, { minLength: 2, maxLength: 2 }), fc.integer({ min: 1, max: 47 }), (days, nowHour) => {
        const history = historyOf(days.flat());
        const at = (hour: number) => ({ history, clock: fakeClock(startMs + hour * hourMs + 1) });
        const window = windowOf(
          { from: new Date(startMs), to: new Date(startMs + nowHour * hourMs) },
          startMs + 48 * hourMs,
        );
        const then = guardedCount(at(nowHour), window, selection);
        expect(guardedCount(at(nowHour + 1), window, selection)).toEqual(then);
      }),
      { numRuns: 100 },
    );
  });

  test('an hour that is not over is not told, nor a day', () => {
    const history = historyOf([100, 100]);
    const seen = { history, clock: fakeClock(startMs + 1.9 * hourMs) };
    const of = (resolution: Resolution) =>
      guardedCount(seen, windowOf({ from: new Date(startMs), resolution }, seen.clock.nowMs()), selection);
    expect(of('MINUTE')).toMatchObject({ total: 100, points: [{ value: 100 }] });
    expect(of('DAY')).toMatchObject({ total: null, points: [] });
  });
});
