import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chownSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { ConfigError } from '../process/config.ts';
import { freePort } from '../process/free-port.ts';
import { secureRandom } from '../random/random.ts';
import { folderApart, placeFor, removePlace, type ServerUser, serverUser } from './embedded-postgres-files.ts';

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
const passwordFileOf = (directory: string): string => `${directory}.password`;

/**
 * Starts the PostgreSQL that npm brought, for local runs and tests; production uses an external server. The server is
 * a process group of its own, so that an interrupt at the terminal reaches the services first; `close` ends it.
 * A server left behind by a killed run is stopped first.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const user = serverUser();
  const wanted = resolve(options.directory);
  const { directory, binaries } = await placeFor(wanted, user);
  stopStale(directory);
  const passwordFile = passwordFileOf(wanted);
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

/** Removes the data and what was made elsewhere for it, after stopping a server that was left behind there. */
export function removeEmbeddedPostgres(directory: string): void {
  const wanted = resolve(directory);
  const apart = folderApart(wanted);
  for (const data of [wanted, ...(apart === undefined ? [] : [join(apart, 'data')])]) stopStale(data);
  rmSync(passwordFileOf(wanted), { force: true });
  removePlace(wanted);
}

function initialise(binaries: string, directory: string, user: ServerUser, passwordFile: string): void {
  // Other users of the machine reach the port: without a password they would be superusers of the database.
  writeFileSync(passwordFile, secureRandom.bytes(24).toString('hex'), { mode: 0o600 });
  // initdb reads a copy: it runs as the server's user, who reaches the database's folder, and perhaps nothing else.
  const copy = join(dirname(directory), `initdb-${secureRandom.bytes(8).toString('hex')}`);
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
