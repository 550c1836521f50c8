import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageKey } from './fixtures/read-store.ts';
import { world } from './fixtures/world.ts';
import { rebuildOnce, runOnce } from './run-once.ts';

const { kill } = process;
let ends: (string | number | undefined)[] = [];

beforeEach(() => {
  ends = [];
  // The process would end itself, so that telemetry is flushed.
  process.kill = (_, signal) => {
    ends.push(signal);
    return true;
  };
});

afterEach(() => {
  process.kill = kill;
  process.exitCode = undefined;
});

test('D row 33: --once ends with status 1 when anything was left out, else with 0', async () => {
  const w = await world();
  await runOnce(w.deps);
  expect([process.exitCode, ends]).toEqual([undefined, ['SIGTERM']]);
  const failing = packageKey('DE', '2020-09-13', 10);
  w.store.failWhere(({ operation, key }) => operation === 'put' && key === failing);
  w.clock.set('2020-09-13T11:05:00Z');
  await runOnce(w.deps);
  expect([process.exitCode, ends]).toEqual([1, ['SIGTERM', 'SIGTERM']]);
});

test('--rebuild ends with status 1 when a package in the store is not what was published', async () => {
  const w = await world();
  await w.run();
  await w.nextHour();
  await rebuildOnce(w.deps);
  expect(process.exitCode).toBeUndefined();
  const options = { contentType: 'application/zip', cacheControl: 'public' };
  await w.store.put(packageKey('DE', '2020-09-13', 10), Buffer.from('other'), options);
  await rebuildOnce(w.deps);
  expect([process.exitCode, ends]).toEqual([1, ['SIGTERM', 'SIGTERM']]);
});
