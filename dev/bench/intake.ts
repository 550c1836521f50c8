import { loadavg } from 'node:os';
import type { Mesh } from '../mesh/mesh.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import { type Bench, type BenchRun, deferred } from './bench.ts';
import { type Load, loadFigures, runLoad } from './load/run-load.ts';
import type { Requests } from './load/job.ts';
import { seedResults, seedSessions, tokenSeed } from './polls.ts';
import { type Figure, rounded } from './record.ts';
import { proveStored, seedTans, tanSeed } from './uploads.ts';

const floorMs = 500;
const loadShare = 0.7;

interface Intake {
  readonly unit: 'uploads' | 'polls';
  readonly atLeast: number;
  readonly connections: number;
  /** Rows for so many requests. */
  seed(run: BenchRun, mesh: Mesh, count: number): Promise<Requests>;
  prove(run: BenchRun, mesh: Mesh, load: Load): Promise<void>;
  /** More than the machine could answer a second; each needs rows of its own, or not. */
  readonly seedPerSecond: number;
}

const uploads: Intake = {
  unit: 'uploads',
  atLeast: 2_500,
  connections: 200,
  seedPerSecond: 5_000,
  async seed(run, mesh, count) {
    await seedTans(openBenchPool(run, mesh, 'VERIFICATION'), count, mesh.clock.now());
    return { kind: 'uploads', seed: tanSeed, count, nowSeconds: Math.floor(mesh.clock.nowMs() / 1000) };
  },
  prove: (run, mesh, { answers }) => proveStored(openBenchPool(run, mesh, 'SUBMISSION'), answers),
};

const polls: Intake = {
  unit: 'polls',
  atLeast: 5_000,
  connections: 100,
  seedPerSecond: 1_500,
  async seed(run, mesh, count) {
    await seedSessions(openBenchPool(run, mesh, 'VERIFICATION'), count, mesh.clock.now());
    await seedResults(openBenchPool(run, mesh, 'TEST_RESULT'), count, mesh.clock.now());
    return { kind: 'polls', seed: tokenSeed, count };
  },
  prove: async () => {},
};

/**
 * What the intake bears for a minute, TLS and load generator included: with answers as soon as they are ready, then
 * how long answers take at 70 % of that with the schedule on.
 */
export const intake: Bench = async (run) => [...(await measured(run, uploads)), ...(await measured(run, polls))];

async function measured(run: BenchRun, what: Intake): Promise<Figure[]> {
  const { unit, atLeast } = what;
  const seconds = run.quick ? 15 : 60;
  const free = await loaded(run, what, seconds, { floor: 0, connections: what.connections });
  const perSecond = free.answers / free.seconds;
  const connections = Math.max(1, Math.round((perSecond * loadShare * 1.5 * floorMs) / 1_000));
  const scheduled = await loaded(run, what, run.quick ? 10 : 20, { floor: floorMs, connections });
  return [
    ...loadFigures(`intake of ${unit}`, unit, free, { atLeast }),
    {
      name: `intake of ${unit}, schedule on, rate`,
      value: Math.round(scheduled.answers / scheduled.seconds),
      unit: `${unit}/s`,
    },
    { name: `intake of ${unit}, schedule on, p50`, value: rounded(scheduled.p50), unit: 'ms' },
    // One slot later would be a second: k > 1 for less than 1 % (decision 13).
    {
      name: `intake of ${unit}, schedule on, p99`,
      value: rounded(scheduled.p99),
      unit: 'ms',
      goal: { atMost: 2 * floorMs - 1 },
    },
    { name: `intake of ${unit}, load average`, value: rounded(loadavg()[0] ?? 0), unit: 'processes' },
  ];
}

async function loaded(
  bench: BenchRun,
  what: Intake,
  seconds: number,
  { floor, connections }: { floor: number; connections: number },
): Promise<Load> {
  // Undone before the next begins: a mesh at rest beside it would cost time too.
  const { defer, undo } = deferred();
  bench.defer(undo);
  const run = { ...bench, defer };
  const mesh = await openBenchMesh(run, { env: { GATEWAY_ANSWER_FLOOR_MS: String(floor) } });
  run.progress(`${what.unit}: seeding`);
  const requests = await what.seed(run, mesh, what.seedPerSecond * (seconds + 10));
  run.progress(`${what.unit}: ${connections} connections for ${seconds} s, schedule ${floor === 0 ? 'off' : 'on'}`);
  const load = await runLoad(run, mesh, {
    connections,
    pauseMs: floor,
    measureMs: seconds * 1_000,
    expectedStatus: 200,
    requests,
  });
  await what.prove(run, mesh, load);
  await undo();
  return load;
}
