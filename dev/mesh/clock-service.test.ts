import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { followClock } from '../../lib/time/followed-clock.ts';
import { startClockService } from './clock-service.ts';

const hour = 3_600_000;

async function service(startAtMs?: number, folder = temporaryFolder()) {
  const started = await startClockService(join(folder, 'clock.json'), startAtMs);
  let open = true;
  const close = async () => {
    if (open) await started.close();
    open = false;
  };
  onTestFinished(close);
  return { ...started, folder, close };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-clock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a move is in force at every follower when it returns', async () => {
  const clock = await service();
  const followers = await Promise.all(
    Array.from({ length: 5 }, () => followClock(clock.url, (stop) => onTestFinished(stop))),
  );
  const target = clock.clock.nowMs() + 26 * hour;

  await clock.moveTo(target);

  for (const follower of followers) expect(follower.nowMs()).toBeGreaterThanOrEqual(target);
});

test('whoever says anything else is cut off, and harms nobody', async () => {
  const { url, clock, moveTo } = await service();
  await followClock(url, (stop) => onTestFinished(stop));
  const stranger = connect(Number(new URL(url).port), '127.0.0.1');
  stranger.on('error', () => {});
  stranger.resume().write('GET /health/ready HTTP/1.1\r\nhost: localhost\r\n\r\n');
  await new Promise((done) => stranger.once('close', done));
  const target = clock.nowMs() + hour;
  await moveTo(target);
  expect(clock.nowMs()).toBeGreaterThanOrEqual(target);
});

test('time never runs backwards: a move to a time that has passed leaves it as it is', async () => {
  const { clock, moveTo } = await service();
  const before = clock.nowMs();
  await moveTo(before - hour);
  expect(clock.nowMs()).toBeGreaterThanOrEqual(before);
});

test('a restart resumes at the later of stored time and system time', async () => {
  const first = await service();
  const moved = first.clock.nowMs() + 50 * hour;
  await first.moveTo(moved);
  await first.close();

  const second = await service(undefined, first.folder);
  expect(second.clock.nowMs()).toBeGreaterThanOrEqual(moved);
});

test('a stored time in the past gives way to the system time', async () => {
  const first = await service(Date.parse('2020-07-01T20:05:00Z'));
  expect(first.clock.now().toISOString()).toMatch(/^2020-07-01T20:05/);
  await first.close();

  const second = await service(Date.now(), first.folder);
  expect(Math.abs(second.clock.nowMs() - Date.now())).toBeLessThan(5_000);
});

test('a mesh without clock service says so by the name of the setting', async () => {
  await expect(followClock('tcp://127.0.0.1:1', () => {})).rejects.toThrow(/^CLOCK_URL: no clock service answers/);
});

test.each(['', '{"meshTimeMs":', '{"meshTimeMs":"noon"}', '{}', 'null'])(
  'a damaged file of the time ends the start with its name and the remedy, and stays as it is: %s',
  async (content) => {
    const folder = temporaryFolder();
    const file = join(folder, 'clock.json');
    writeFileSync(file, content);
    await expect(service(undefined, folder)).rejects.toThrow(
      `${file}: holds no stored time; delete it to go on from this machine's time, or npx cwa reset`,
    );
    expect(readFileSync(file, 'utf8')).toBe(content);
  },
);
