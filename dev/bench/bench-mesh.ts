import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import { jsonLog } from '../../lib/telemetry/log.ts';
import { systemClock } from '../../lib/time/clock.ts';
import type { DatabaseOwner } from '../mesh/databases.ts';
import { removeHome } from '../mesh/home.ts';
import { type Mesh, startMesh } from '../mesh/mesh.ts';
import type { BenchRun } from './bench.ts';

/** A home that is gone after the benchmark, its database included. */
export function temporaryHome(run: BenchRun): string {
  const home = mkdtempSync(join(tmpdir(), 'cwa-bench-'));
  run.defer(() => removeHome(home));
  return home;
}

export interface BenchMeshOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly startAtMs?: number;
  /** More flags of Node for the process `name`. */
  readonly nodeFlags?: (name: string) => readonly string[];
}

/**
 * A fresh mesh on free ports that nothing of the caller's environment changes. Answers leave as soon as they are ready:
 * throughput is measured, not the schedule.
 */
export async function openBenchMesh(
  run: BenchRun,
  { env = {}, startAtMs, nodeFlags = () => [] }: BenchMeshOptions = {},
): Promise<Mesh> {
  const { profileFolder } = run;
  if (profileFolder !== undefined) mkdirSync(profileFolder, { recursive: true });
  const opening = startMesh({
    home: temporaryHome(run),
    env: { GATEWAY_ANSWER_FLOOR_MS: '0', GATEWAY_HOST: '127.0.0.1', ...env },
    anyPorts: true,
    ...(startAtMs === undefined ? {} : { startAtMs }),
    nodeFlags: (name) => [
      ...nodeFlags(name),
      ...(profileFolder === undefined ? [] : profilerFlags(profileFolder, name)),
    ],
  });
  run.defer(async () => (await opening.catch(() => undefined))?.close());
  return opening;
}

/** A connection to the database of a service, to fill its tables. */
export function openBenchPool(run: BenchRun, mesh: Mesh, service: DatabaseOwner): Pool {
  const log = jsonLog('bench', systemClock.now, (line) => process.stderr.write(line), 'warn');
  const pool = openPool({ url: mesh.databaseUrl(service), poolSize: 2, setting: `${service}_DATABASE_URL` }, log);
  run.defer(() => pool.close());
  return pool;
}

function profilerFlags(folder: string, name: string): string[] {
  return ['--cpu-prof', `--cpu-prof-dir=${resolve(folder)}`, `--cpu-prof-name=${name}.cpuprofile`];
}
