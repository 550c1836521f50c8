import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import {
  DistributionServiceService,
  RunDistributionResponse,
} from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import { RpcError } from '../../lib/rpc/errors.ts';
import { bind } from '../../lib/rpc/server.ts';
import { fakeClock } from '../../lib/testing/clock.ts';
import { testPki } from '../../lib/testing/pki.ts';
import { serve, someHandlers } from '../../lib/testing/rpc.ts';
import { openScheduler } from './scheduler.ts';

const start = Date.parse('2026-11-26T10:20:00Z');

/** A scheduler, a clock that it moves, and a distribution that notes the time of its runs. */
async function aScheduler(fails?: Error) {
  const pki = await testPki();
  await pki.files('scheduler');
  const home = mkdtempSync(join(tmpdir(), 'cwa-scheduler-'));
  symlinkSync(pki.folder, join(home, 'pki'));
  const clock = fakeClock(start);
  const runs: string[] = [];
  const handlers = someHandlers<typeof DistributionServiceService>({
    runDistribution: async () => {
      if (fails) throw fails;
      runs.push(clock.now().toISOString().slice(11, 16));
      return RunDistributionResponse.fromPartial({});
    },
  });
  const name = 'cwa.distribution.v1.DistributionService';
  const server = await serve('distribution', [bind(name, DistributionServiceService, handlers)], { pki });
  const clockService = {
    url: '',
    clock,
    moveTo: async (ms: number) => clock.set(Math.max(ms, clock.nowMs())),
    close: async () => {},
  };
  const scheduler = openScheduler(home, server.port, clockService);
  onTestFinished(async () => {
    scheduler.close();
    await server.stop();
    pki.remove();
    rmSync(home, { recursive: true, force: true });
  });
  return { scheduler, runs, clock };
}

test('the clock moves with a run at every full hour on the way and one at the end', async () => {
  const { scheduler, runs, clock } = await aScheduler();
  expect(await scheduler.advanceTo(start + 3 * 3_600_000)).toBe(4);
  expect(runs).toEqual(['11:00', '12:00', '13:00', '13:20']);
  expect(await scheduler.advanceTo(Date.parse('2026-11-26T15:00:00Z'))).toBe(2);
  expect(runs.slice(4)).toEqual(['14:00', '15:00']);
  expect(await scheduler.advanceTo(start), 'the past').toBe(1);
  expect(clock.now().toISOString()).toBe('2026-11-26T15:00:00.000Z');
});

test('one that is stopped stays at the hour it has reached; the next goes on from there', async () => {
  const { scheduler, runs, clock } = await aScheduler();
  const gone = new AbortController();
  const stopAtNoon = (now: Date) => {
    if (now.getUTCHours() === 12) gone.abort(new Error('the caller has gone'));
  };
  await expect(scheduler.advanceTo(start + 6 * 3_600_000, stopAtNoon, gone.signal)).rejects.toThrow('has gone');
  expect(runs).toEqual(['11:00', '12:00']);
  expect(clock.now().toISOString()).toBe('2026-11-26T12:00:00.000Z');
  expect(await scheduler.advanceTo(clock.nowMs() + 1_800_000)).toBe(1);
});

test('a run that fails is told with its log, by a move of the clock too', async () => {
  const { scheduler } = await aScheduler(new RpcError('INTERNAL', 'INTERNAL'));
  const told = /^a distribution run failed \(INTERNAL\); .*distribution\.log says why/;
  await expect(scheduler.run()).rejects.toThrow(told);
  await expect(scheduler.advanceTo(start + 60_000)).rejects.toThrow(told);
});
