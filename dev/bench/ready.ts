import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { repositoryRoot } from '../mesh/child.ts';
import { anyPorts } from '../mesh/ports.ts';
import type { Bench, BenchRun } from './bench.ts';
import { temporaryHome } from './bench-mesh.ts';
import { pssMegabytes } from './processes.ts';
import { rounded } from './record.ts';

const idleMs = 20_000;
const patienceMs = 180_000;

/** From `npm start` on a fresh home to its line `ready` (decision 2). */
export const ready: Bench = async (run) => {
  const { seconds } = await startSystem(run);
  return [{ name: 'ready', value: rounded(seconds, 1), unit: 's', goal: { atMost: 45 } }];
};

/** The whole system at rest, the database and its sessions included (decision 8). */
export const memory: Bench = async (run) => {
  const { pid } = await startSystem(run);
  run.progress(`idle for ${idleMs / 1000} s`);
  await delay(idleMs);
  return [{ name: 'idle memory', value: pssMegabytes([pid]), unit: 'MB', goal: { atMost: 1_200 } }];
};

/** What `npm start` runs, with ports of its own so that it can run beside another. */
async function startSystem(run: BenchRun): Promise<{ pid: number; seconds: number }> {
  const ports = Object.entries(await anyPorts()).map(([name, port]) => [name, String(port)]);
  const home = temporaryHome(run);
  run.progress('starting on a fresh home');
  const startedAt = performance.now();
  const child = spawn(process.execPath, ['dev/start.ts'], {
    cwd: repositoryRoot,
    env: { PATH: process.env['PATH'], CWA_HOME: home, ...Object.fromEntries(ports) },
    stdio: ['ignore', 'pipe', 'inherit'],
    // An interrupt at the terminal reaches the benchmark, which stops it once.
    detached: true,
  });
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  run.defer(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  await Promise.race([
    readyLine(child),
    ended.then((status) => {
      throw new Error(`npm start ended with status ${status ?? 'killed'} before it was ready`);
    }),
    delay(patienceMs, undefined, { ref: false }).then(() => {
      throw new Error(`npm start was not ready after ${patienceMs / 1000} s`);
    }),
  ]);
  return { pid: child.pid ?? 0, seconds: (performance.now() - startedAt) / 1000 };
}

function readyLine(child: ChildProcess): Promise<void> {
  return new Promise((done) => {
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (/^ready \d/.test(line)) done();
    });
  });
}
