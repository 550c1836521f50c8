import { expect, test } from 'vitest';
import { nextRunDueMs } from './next-run.ts';

const at = (time: string): number => Date.parse(`2020-09-13T${time}Z`);
const ran = (started: string, ended: string) => ({ startedMs: at(started), endedMs: at(ended) });

test.each([
  ['the full hour after the last one began', ran('10:05:00', '10:06:00'), 0, '10:30:00', '11:00:00'],
  ['that hour too when it is past: the run is late', ran('10:05:00', '10:06:00'), 0, '11:20:00', '11:00:00'],
  ['the next full hour when there was none', undefined, 0, '10:30:00', '11:00:00'],
  ['the hour after one that ran over the hour', ran('10:58:00', '11:03:00'), 0, '11:04:00', '11:00:00'],
  ['the hour after one that began on the full hour', ran('10:00:00', '10:01:00'), 0, '10:02:00', '11:00:00'],
  ['the interval after the last one ended', ran('10:05:00', '10:06:00'), 300, '10:07:00', '10:11:00'],
  ['now, with an interval and no run yet', undefined, 300, '10:07:00', '10:07:00'],
])('the next run is due at %s', (_, last, intervalSeconds, now, due) => {
  expect(nextRunDueMs(last, intervalSeconds, at(now))).toBe(at(due));
});
