import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pssMegabytes } from '../bench/processes.ts';
import type { Mesh } from '../mesh/mesh.ts';

/** Looks after the processes of a mesh while others try to break them. */
export interface MeshWatch {
  /** MB of each process by name, PostgreSQL with its children. */
  memory(): Map<string, number>;
  /** Processes that ended and log lines that tell of a failure, since the watch began. */
  faults(): string[];
}

export function watchMesh(mesh: Mesh): MeshWatch {
  const ended: string[] = [];
  for (const child of mesh.processes.values()) {
    void child.ended.then((status) => ended.push(`${child.name} ended (status ${status ?? 'killed'})`));
  }
  const logs = readdirSync(join(mesh.home, 'log')).map((name) => join(mesh.home, 'log', name));
  const begins = new Map(logs.map((file) => [file, statSync(file).size]));
  return {
    memory: () =>
      new Map([
        ...[...mesh.processes.values()].map((child) => [child.name, pssMegabytes([child.pid])] as const),
        ...(mesh.postgresPid === undefined ? [] : [['postgres', pssMegabytes([mesh.postgresPid])] as const]),
        ...(mesh.objectStore.process?.pid === undefined
          ? []
          : [['object-store', pssMegabytes([mesh.objectStore.process?.pid])] as const]),
      ]),
    faults: () => [
      ...ended,
      ...logs.flatMap((file) =>
        readFileSync(file)
          .subarray(begins.get(file) ?? 0)
          .toString()
          .split('\n')
          .filter(tellsOfFailure),
      ),
    ],
  };
}

/** Alarms that are right to go off while thousands of teleTANs are guessed. */
const alarms = new Set(['tele-tan-failure-ratio-high']);

/** No input of a caller may make a process write an error, and what is no log line at all is a stack or a warning of Node. */
function tellsOfFailure(line: string): boolean {
  if (line === '') return false;
  try {
    const { level, event = '' } = JSON.parse(line) as { level?: string; event?: string };
    return level === 'error' && !alarms.has(event);
  } catch {
    return true;
  }
}
