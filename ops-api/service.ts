import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ProcessName } from '../lib/rpc/communication-matrix.ts';
import type { Service, ServiceDescription } from './schema/context.ts';
import type { Team } from './teams.ts';

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
