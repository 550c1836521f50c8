import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ProcessName } from '../lib/rpc/communication-matrix.ts';
import type { Kept, Load } from './history/kept.ts';
import type { Resolvers } from './schema/context.ts';
import type { Team } from './teams.ts';

/**
 * One service as operators see it: everything about it is in one file of `services/`, which exports it as `service`.
 * The file that bears the name of its process also says whose process that is.
 */
export interface ServiceDescription {
  /** The process whose figures these are; `OPS_API_<PROCESS>_ADDRESS` says where it answers. */
  readonly process: ProcessName;
  /** The only team that sees them. */
  readonly team: Team;
  /** What is kept over time; the rest of what the process tells is forgotten at the next poll. */
  readonly keeps: readonly Kept[];
  /** What counts as one request when its cost is measured. Default: calls of the mesh that it answered. */
  readonly load?: Load;
  readonly typeDefs: string;
  readonly resolvers: Resolvers;
}

export interface Service extends ServiceDescription {
  /** Name of the file. */
  readonly name: string;
}

/** Reads the folder; throws when a file does not export a `service`. */
export async function loadServices(folder: string): Promise<readonly Service[]> {
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  return Promise.all(
    files.sort().map(async (file) => {
      const { service } = (await import(pathToFileURL(join(folder, file)).href)) as { service?: ServiceDescription };
      if (service === undefined) throw new Error(`${file} exports no service`);
      return { ...service, name: file.slice(0, -'.ts'.length) };
    }),
  );
}

/** The processes that are asked, each once, with the team that operates it. */
export const processesOf = (services: readonly Service[]): ReadonlyMap<ProcessName, Team> =>
  new Map(services.filter(({ name, process }) => name === process).map(({ process, team }) => [process, team]));
