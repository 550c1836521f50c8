import { expect, test } from 'vitest';
import { fakeSystem } from './fixtures/fake-system.ts';
import type { walk } from './journey.ts';
import { walkAgain } from './walk-again.ts';

const packageEnd = Date.parse('2026-11-26T10:00:00Z') / 1_000;
const tick = () => new Promise((next) => setTimeout(next, 1));

test('journeys begin on time while others still wait, 20 at the most, and a stop waits for all', async () => {
  const system = fakeSystem();
  const waiting: (() => void)[] = [];
  let ended = false;
  const walking = walkAgain(system.deps, 10_000, async () => {
    await new Promise<void>((done) => waiting.push(done));
    return true;
  }).then(() => (ended = true));
  for (let i = 0; i < 24; i++) {
    await tick();
    system.clock.advance(10_000);
  }
  await tick();
  expect(waiting).toHaveLength(20);
  expect(system.log.lines).toContainEqual({ level: 'warn', event: 'probe-journeys-wait', count: 20 });
  waiting.shift()?.();
  await tick();
  system.clock.advance(10_000);
  await expect.poll(() => waiting).toHaveLength(20);
  system.stop();
  await tick();
  expect(ended).toBe(false);
  for (const end of waiting) end();
  await walking;
});

test('D fault 11: the age of the last success and of the newest package, fetched as phones do, are told; a journey that breaks keeps no other from beginning', async () => {
  const system = fakeSystem();
  const outcomes: (typeof walk)[] = [
    async (_, saw) => {
      saw?.(packageEnd);
      return true;
    },
    async () => false,
    async () => {
      throw new TypeError('secret');
    },
  ];
  const walking = walkAgain(system.deps, 10_000, (d, saw) => (outcomes.shift() ?? (async () => true))(d, saw));
  await tick();
  system.clock.advance(10_000);
  await tick();
  system.clock.advance(9_000);
  expect(await system.metrics.seen('cwa.probe.success.age')).toBe(19);
  expect(await system.metrics.seen('cwa.probe.package.age')).toBe(20 * 60 + 19);
  system.clock.advance(1_000);
  await tick();
  expect(system.log.lines).toMatchObject([{ event: 'probe-journey-failed', errorName: 'TypeError' }]);
  expect(JSON.stringify(system.log.lines)).not.toContain('secret');
  system.clock.advance(10_000);
  await tick();
  expect(await system.metrics.seen('cwa.probe.success.age')).toBe(0);
  system.stop();
  await walking;
});
