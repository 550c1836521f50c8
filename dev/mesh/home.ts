import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
import { ConfigError } from '../../lib/process/config.ts';

/** Makes the home and its folder of logs. Not `recursive`: Node tries for ever where a folder cannot exist (/proc/x). */
export function makeHome(home: string): void {
  const missing: string[] = [];
  for (let folder = join(home, 'log'); !existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  try {
    for (const folder of missing) mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw new ConfigError([`CWA_HOME: the folder ${home} cannot be made (${code}); set CWA_HOME to another one`]);
  }
}

/** Where the embedded PostgreSQL of a home keeps its data, unless its user cannot get there. */
export const databaseFolderOf = (home: string): string => join(home, 'postgres');

/** Removes the home with its database, wherever that is (decision 3). Nothing may run in it. */
export function removeHome(home: string): void {
  removeEmbeddedPostgres(databaseFolderOf(home));
  rmSync(home, { recursive: true, force: true });
}

const lockOf = (home: string): string => join(home, 'mesh.pid');

/** Throws when a mesh runs in the home; asked first, so that its own ports are not called those of another program. */
export function refuseSecondMesh(home: string): void {
  if (isHeld(lockOf(home))) throw alreadyRunning(home);
}

/** One mesh a home: a second one would stop the first one's database. Returns what gives the home free. */
export function lockHome(home: string): () => void {
  const file = lockOf(home);
  if (existsSync(file) && !isHeld(file)) rmSync(file);
  let handle: number;
  try {
    handle = openSync(file, 'wx', 0o600);
  } catch {
    throw alreadyRunning(home);
  }
  writeSync(handle, String(process.pid));
  closeSync(handle);
  return () => rmSync(file, { force: true });
}

const isHeld = (file: string): boolean => existsSync(file) && isMesh(Number(readFileSync(file, 'utf8')));

const alreadyRunning = (home: string): ConfigError =>
  new ConfigError([`CWA_HOME: a mesh is already running in ${home}; stop it or set CWA_HOME to another folder`]);

/** Says that the guided journey has ended well; gone as soon as the mesh stops (decision 2). */
export function markReady(home: string, ready: boolean): void {
  const file = join(home, 'ready');
  if (ready) writeFileSync(file, '');
  else rmSync(file, { force: true });
}

/** The number of a process that was killed may since belong to somebody else. */
function isMesh(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || /node|vitest/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'));
  } catch {
    return false;
  }
}
