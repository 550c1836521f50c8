import { expect, test } from 'vitest';
import { fakeClock } from '../../lib/testing/clock.ts';
import { anAnswer } from '../fixtures/answers.ts';
import { History } from '../history/history.ts';
import { level } from './figures.ts';
import { type Resolution, windowOf } from './window.ts';

const clock = fakeClock(Date.parse('2026-03-02T12:30:00Z'));
const history = new History();
const metric = 'cwa.distribution.run.age';
for (const [time, age] of [
  ['2026-02-20T07:10:00Z', 900],
  ['2026-02-20T07:20:00Z', 60],
  ['2026-03-02T12:02:00Z', 5_400],
  ['2026-03-02T12:04:20Z', 7],
] as const) {
  const answer = anAnswer({ process: 'distribution', metrics: { [metric]: [[{}, age]] } });
  history.take('distribution', [{ metric }], answer, Date.parse(time));
}
const levelOf = (resolution: Resolution, to?: string) => {
  const asked = to === undefined ? { resolution } : { resolution, to: new Date(to) };
  return level({ history, clock }, windowOf(asked, clock.nowMs()), { process: 'distribution', metric });
};

test.each<Resolution>(['MINUTE', 'FIVE_MINUTES', 'HOUR', 'DAY'])(
  'the latest of a level is what was told last, not the highest of its slot, and says when: by %s',
  (resolution) => {
    expect(levelOf(resolution)).toMatchObject({ latest: 7, asOf: new Date('2026-03-02T12:04:00Z') });
  },
);

test('a slot has the highest', () => {
  expect(levelOf('HOUR').points.at(-1)).toMatchObject({ at: new Date('2026-03-02T12:00:00Z'), value: 5_400 });
});

test('where minutes are no longer kept the latest is that of the slot', () => {
  expect(levelOf('HOUR', '2026-02-20T08:00:00Z')).toMatchObject({
    latest: 900,
    asOf: new Date('2026-02-20T07:00:00Z'),
  });
});

test('what nobody told has no latest and no time', () => {
  expect(levelOf('HOUR', '2026-02-25T00:00:00Z')).toMatchObject({ latest: null, asOf: null });
});
