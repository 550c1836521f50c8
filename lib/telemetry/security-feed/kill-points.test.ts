import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { type TestPki, testPki } from '../../testing/pki.ts';
import { testCollector } from '../../testing/security-collector.ts';
import type { FeedProcessOptions } from './fixtures/feed-process.ts';

const script = join(import.meta.dirname, 'fixtures', 'feed-process.ts');
/** Every so manieth step; 1 tries all of them. */
const every = Number(process.env['KILL_POINTS_EVERY'] ?? 6);

let pki: TestPki;
let collector: Awaited<ReturnType<typeof testCollector>>;
beforeAll(async () => {
  pki = await testPki();
  collector = await testCollector(pki);
});
afterAll(async () => {
  await collector.close();
  pki.remove();
});
beforeEach(() => {
  collector.taken = [];
  collector.requests = [];
});

/** One life of the process: 12 events, of which the collector refuses to take the first lot at first. */
async function run(
  folder: string,
  events: readonly number[],
  killAt?: FeedProcessOptions['killAt'],
  started?: (child: ChildProcess) => void,
) {
  const options: FeedProcessOptions = {
    collector: {
      url: collector.url().href,
      files: await pki.files('gateway'),
      bufferDir: join(folder, 'buffer'),
      bufferBytes: 8_000,
    },
    events,
    reportedFile: join(folder, 'reported'),
    ...(killAt ? { killAt } : {}),
  };
  const child = spawn(process.execPath, [script, JSON.stringify(options)], { stdio: ['ignore', 'pipe', 'inherit'] });
  started?.(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const status = await new Promise<number | null>((done) => child.once('close', done));
  return { killed: status === null, status, steps: Number(output) };
}

const firstLot = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];
const secondLot = [13, 14, 15];

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-feed-kill-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The life that ends early, then one that ends in order: what was reported in either has arrived, in order, once by id. */
async function survives(dying: (folder: string) => Promise<{ killed: boolean }>): Promise<boolean> {
  collector.taken = [];
  let requests = 0;
  collector.answer = () => (requests++ === 0 ? 503 : 200);
  return inFolder(async (folder) => {
    const { killed } = await dying(folder);
    collector.answer = () => 200;
    expect(await run(folder, secondLot)).toMatchObject({ status: 0 });
    const reported = existsSync(join(folder, 'reported')) ? readFileSync(join(folder, 'reported'), 'utf8') : '';
    const arrived = collector.once().flatMap(({ days }) => (days === undefined ? [] : [Number(days)]));
    // The one in progress when the process died may have arrived too.
    const expected = reported.trimEnd().split('\n').map(Number);
    expect(arrived).toEqual(expect.arrayContaining(expected));
    expect(arrived).toEqual([...new Set(arrived)].sort((a, b) => a - b));
    expect(collector.once().some(({ type }) => type === 'guessing-alarm')).toBe(true);
    return killed;
  });
}

test('whatever step on the disk a process dies at, before it or half through, no event is lost', async () => {
  collector.answer = () => 200;
  const { steps } = await inFolder((folder) => run(folder, firstLot));
  expect(steps).toBeGreaterThan(25);
  let killed = 0;
  for (let step = 1; step <= steps; step += every) {
    for (const torn of [false, true]) {
      const died = await survives((folder) => run(folder, firstLot, { step, torn }));
      if (died) killed++;
    }
  }
  // The last steps are those of a longer life than the counted one may have been.
  expect(killed).toBeGreaterThan((steps / every) * 1.5);
}, 600_000);

test('whichever request a process dies during, before the answer or after it, no event is lost', async () => {
  for (const before of [true, false]) {
    for (let at = 1; at <= 4; at++) {
      let child: ChildProcess | undefined;
      onTestFinished(() => void child?.kill('SIGKILL'));
      let requests = 0;
      await survives((folder) => {
        collector.answer = () => {
          if (++requests === at && before) child?.kill('SIGKILL');
          if (requests === at && !before) setTimeout(() => child?.kill('SIGKILL'), 2);
          return 200;
        };
        return run(folder, firstLot, undefined, (started) => (child = started));
      });
    }
  }
}, 300_000);
