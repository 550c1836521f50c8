import { expect, test } from 'vitest';
import { silentLog } from '../telemetry/log.ts';
import { fakeClock } from '../testing/clock.ts';
import { silentMetrics } from '../telemetry/metrics.ts';
import { isMeasured } from '../telemetry/unmeasured-work.ts';
import { recordedSpans } from '../testing/spans.ts';
import { repeat } from './repeat.ts';

test('work is repeated after the pause, a failing run does not end it, the signal does', async () => {
  const clock = fakeClock('2023-06-01T00:00:00Z');
  const stop = new AbortController();
  const failed: string[] = [];
  const log = { ...silentLog, error: (event: string) => void failed.push(event) };
  let runs = 0;
  const done = repeat(
    { job: 'count', everyMs: 1_000, clock, log, metrics: silentMetrics, signal: stop.signal },
    async () => {
      runs += 1;
      if (runs === 2) throw new Error('planned');
    },
  );
  for (let expected = 1; expected <= 3; expected++) {
    await expect.poll(() => runs).toBe(expected);
    await new Promise(setImmediate);
    clock.advance(1_000);
  }
  stop.abort();
  await done;
  expect(failed).toEqual(['job-failed']);
});

test('decision 34: of discreet work there is no trace, and nothing inside it is measured', async () => {
  const spans = recordedSpans();
  const stop = new AbortController();
  const measured: boolean[] = [];
  for (const discreet of [false, true]) {
    const clock = fakeClock('2023-06-01T00:00:00Z');
    const job = { job: `discreet ${discreet}`, everyMs: 1, clock, log: silentLog, metrics: silentMetrics, discreet };
    void repeat({ ...job, signal: stop.signal }, async () => void measured.push(isMeasured()));
  }
  await expect.poll(() => measured).toEqual([true, false]);
  stop.abort();
  await expect.poll(() => spans.all().map(({ name }) => name)).toEqual(['job discreet false']);
});
