import { join } from 'node:path';
import { ConfigError } from '../../lib/process/config.ts';
import { type MeshProcess, startProcess } from './child.ts';
import { type Name, names, scripts } from './names.ts';
import { managementSetting } from './ports.ts';
import { environmentOf, type Surroundings } from './processes.ts';

/** The processes of a mesh that were started. */
export interface Running {
  readonly processes: ReadonlyMap<string, MeshProcess>;
  /** With `settings` over what the surroundings say. */
  start(name: Name, settings?: Readonly<Record<string, string>>): Promise<void>;
  /** At once; throws every fault of their settings together. */
  startAll(wanted: readonly Name[]): Promise<void>;
  stop(): Promise<void>;
}

export function runningIn(around: Surroundings, nodeFlags: (name: string) => readonly string[]): Running {
  const processes = new Map<string, MeshProcess>();
  let starting: Promise<unknown> = Promise.resolve();

  async function begin(name: Name, settings: Readonly<Record<string, string>>): Promise<void> {
    const started = await startProcess({
      name,
      script: scripts[name],
      env: { ...environmentOf(name, around), ...settings },
      logFile: join(around.home, 'log', `${name}.log`),
      readyUrl: `http://127.0.0.1:${around.ports[managementSetting(name)]}/health/ready`,
      nodeFlags: nodeFlags(name),
    });
    processes.set(name, started);
  }

  function start(name: Name, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const started = begin(name, settings);
    starting = Promise.allSettled([starting, started]);
    return started;
  }

  return {
    processes,
    start,
    async startAll(wanted) {
      const failures = (await Promise.allSettled(wanted.map((name) => start(name)))).flatMap((result) =>
        result.status === 'rejected' ? [result.reason as unknown] : [],
      );
      const faults = failures.flatMap((failure) => (failure instanceof ConfigError ? failure.faults : []));
      if (faults.length > 0) throw new ConfigError(faults);
      if (failures.length > 0) throw failures[0];
    },
    async stop() {
      // What is half started cannot be stopped.
      await starting;
      // The edge first, so that no request meets a service that is already gone.
      for (const name of [...names].reverse()) await processes.get(name)?.stop();
    },
  };
}
