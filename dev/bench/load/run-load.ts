import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Mesh } from '../../mesh/mesh.ts';
import type { BenchRun } from '../bench.ts';
import { cpuSeconds, machineCpuSeconds } from '../processes.ts';
import { type Figure, rounded } from '../record.ts';
import type { LoadJob, LoadMessage, LoadResult } from './job.ts';

export interface Load extends LoadResult {
  /** CPU-seconds that each process used during the measured time, by name. */
  readonly cpu: ReadonlyMap<string, number>;
  /** How much of the machine worked for others meanwhile, 0 to 1: what was measured beside them is too low. */
  readonly disturbance: number;
}

type Wanted = Omit<LoadJob, 'port' | 'ca' | 'warmUpMs' | 'measureMs'> &
  Partial<Pick<LoadJob, 'warmUpMs' | 'measureMs'>>;

/** Puts load on the gateway from a process of its own: 5 s to warm up, then 20 s that count. */
export async function runLoad(run: BenchRun, mesh: Mesh, wanted: Wanted): Promise<Load> {
  const job: LoadJob = {
    port: mesh.ports.GATEWAY_PHONE_PORT,
    ca: readFileSync(join(mesh.home, 'pki', 'ca.crt'), 'utf8'),
    warmUpMs: 5_000,
    measureMs: 20_000,
    ...wanted,
  };
  const generator = fork(join(import.meta.dirname, 'generator.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const ended = new Promise<void>((done) => generator.once('exit', () => done()));
  run.defer(async () => {
    generator.kill('SIGKILL');
    await ended;
  });
  const processes = new Map([...processesOf(mesh), ['load generator', generator.pid ?? 0]]);
  const used = () => ({
    machine: machineCpuSeconds(),
    ours: new Map([...processes].map(([name, pid]) => [name, cpuSeconds([pid])] as const)),
  });
  return new Promise((resolve, reject) => {
    let before = used();
    let after = before;
    generator.on('message', (message: LoadMessage) => {
      if (message.phase === 'measuring') before = used();
      if (message.phase === 'measured') after = used();
      if (message.phase === 'failed') reject(new Error(message.reason));
      if (message.phase !== 'result') return;
      const cpu = new Map([...after.ours].map(([name, seconds]) => [name, seconds - (before.ours.get(name) ?? 0)]));
      const ours = [...cpu.values()].reduce((sum, seconds) => sum + seconds, 0);
      const available = message.result.seconds * availableParallelism();
      const disturbance = Math.max(0, (after.machine - before.machine - ours) / available);
      resolve({ ...message.result, cpu, disturbance });
    });
    // Not at its exit, which may be told before its last message is.
    generator.once('disconnect', () => reject(new Error('the load generator ended early')));
    generator.send(job);
  });
}

/** Rate, latency, and CPU-seconds per 1,000 for each process that had any; `unit` is what is counted, in the plural. */
export function loadFigures(name: string, unit: string, load: Load, goal: NonNullable<Figure['goal']>): Figure[] {
  const { answers, seconds, p50, p99, cpu, disturbance } = load;
  const costs = [...cpu].map(([process, used]) => ({
    name: `${name}, CPU of ${process}`,
    value: rounded((used / answers) * 1_000, 3),
    unit: `CPU-seconds per 1,000 ${unit}`,
  }));
  return [
    { name, value: Math.round(answers / seconds), unit: `${unit}/s`, goal },
    { name: `${name}, p50`, value: rounded(p50), unit: 'ms' },
    { name: `${name}, p99`, value: rounded(p99), unit: 'ms' },
    ...costs.filter(({ value }) => value > 0),
    { name: `${name}, machine busy for others`, value: rounded(disturbance * 100, 1), unit: '%' },
  ];
}

function processesOf(mesh: Mesh): [string, number][] {
  return [
    ...[...mesh.processes].map(([name, { pid }]): [string, number] => [name, pid]),
    ...(mesh.postgresPid === undefined ? [] : [['PostgreSQL', mesh.postgresPid] as [string, number]]),
    ...(mesh.objectStore.process?.pid === undefined
      ? []
      : [['object store', mesh.objectStore.process?.pid] as [string, number]]),
  ];
}
