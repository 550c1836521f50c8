import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { repositoryRoot } from '../mesh/child.ts';
import { type ControlApi, serveControl } from '../mesh/control.ts';
import { parseDuration } from './duration.ts';

const day = 86_400_000;

test.each([
  ['90s', 90_000],
  ['15m', 900_000],
  ['3h', 10_800_000],
  ['1d12h', 1.5 * day],
  ['0.5h', 1_800_000],
  ['60d', 60 * day],
])('a duration: %s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '3', 'h', '-1h', '3 h', '3h ago', '1w', '0s', '1e3h', 'NaNh'])('no duration: "%s"', (text) => {
  expect(() => parseDuration(text)).toThrow('give a duration such as');
});

test.each(['60d1s', '61d', '9'.repeat(400) + 'd'])('more than can be taken back: %s', (text) => {
  expect(() => parseDuration(text)).toThrow('give at most 60d at a time: the clock can never be set back.');
});

/** A home with a mesh of which the clock alone answers. */
async function homeWith(advance: ControlApi['advance']) {
  const home = mkdtempSync(join(tmpdir(), 'cwa-clock-'));
  const unexpected = () => {
    throw new Error('not asked in this test');
  };
  const api = { clock: unexpected, distributionDatabase: unexpected, runDistribution: unexpected, advance };
  const close = await serveControl(home, api);
  onTestFinished(async () => {
    await close();
    rmSync(home, { recursive: true, force: true });
  });
  return {
    args: ['dev/cwa.ts', 'clock', 'advance'],
    options: { cwd: repositoryRoot, env: { ...process.env, CWA_HOME: home } },
  };
}

test('who leaves `cwa clock advance` stops it; the hours that would follow do not come', {
  timeout: 120_000,
}, async () => {
  const begun = Promise.withResolvers<number>();
  const stopped = Promise.withResolvers<unknown>();
  const { args, options } = await homeWith(async (ms, signal) => {
    begun.resolve(ms);
    await once(signal, 'abort');
    stopped.resolve(signal.reason);
    throw signal.reason;
  });
  const tool = spawn(process.execPath, [...args, '3h'], { ...options, stdio: 'ignore' });
  expect(await begun.promise).toBe(3 * 3_600_000);
  tool.kill('SIGINT');
  expect(await stopped.promise).toMatchObject({ message: 'the caller has gone' });
});

test('a duration out of bounds is refused before the mesh is asked', { timeout: 120_000 }, async () => {
  const { args, options } = await homeWith(async () => expect.unreachable('the mesh was asked'));
  const { status, stderr } = spawnSync(process.execPath, [...args, '61d'], { ...options, encoding: 'utf8' });
  expect(stderr).toContain('give at most 60d at a time');
  expect(status).toBe(2);
});
