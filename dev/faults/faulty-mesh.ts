import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createDatabase, type EmbeddedPostgres, startEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { processTree } from '../bench/processes.ts';
import { databaseFolderOf, removeHome } from '../mesh/home.ts';
import { type Mesh, startMesh } from '../mesh/mesh.ts';
import { postgresFraming, tlsFraming } from './framing.ts';
import { type Link, openLink } from './link.ts';

/** Everything that can be killed. */
export type Party = 'gateway' | 'submission' | 'verification' | 'test-result' | 'postgres';

/** Every link that an upload uses, who calls first. */
export const links = [
  ['phone', 'gateway'],
  ['gateway', 'verification'],
  ['gateway', 'submission'],
  ['submission', 'verification'],
  ['verification', 'test-result'],
  ['submission', 'postgres'],
  ['verification', 'postgres'],
  ['test-result', 'postgres'],
] as const;

export type LinkName = `${(typeof links)[number][0]}→${(typeof links)[number][1]}`;

/** The whole mesh over real mutual TLS and a real PostgreSQL, with a link that can fail between any two of them. */
export interface FaultyMesh {
  readonly mesh: Mesh;
  link(name: LinkName): Link;
  /** SIGKILL, at once. Killing PostgreSQL kills its postmaster and every process of it. */
  kill(party: Party): void;
  /** Starts again what was killed, on the same data. */
  heal(): Promise<void>;
  readonly pools: { readonly submission: Pool; readonly verification: Pool; readonly testResult: Pool };
  leave(): Promise<void>;
}

/** Milliseconds that the gateway gives a call: how long a lost reply is waited for. */
export const meshDeadlineMs = 2_000;

const databases = {
  SUBMISSION: 'submission',
  VERIFICATION: 'verification',
  TEST_RESULT: 'test_result',
  DISTRIBUTION: 'distribution',
};

export async function startFaultyMesh(): Promise<FaultyMesh> {
  await using opened = new AsyncDisposableStack();
  const faulty = await open(opened);
  const leaving = opened.move();
  return { ...faulty, leave: () => leaving.disposeAsync() };
}

async function open(opened: AsyncDisposableStack): Promise<Omit<FaultyMesh, 'leave'>> {
  const home = mkdtempSync(join(tmpdir(), 'cwa-faults-'));
  opened.defer(() => removeHome(home));
  const directory = databaseFolderOf(home);
  let postgres = await startEmbeddedPostgres({ directory });
  opened.defer(() => postgres.close());
  const between = new Map<string, Link>();
  for (const [caller, called] of links) {
    const link = await openLink(called === 'postgres' ? postgresFraming : tlsFraming);
    between.set(`${caller}→${called}`, link);
    if (called === 'postgres') link.leadTo(postgres.port);
    opened.defer(() => link.close());
  }
  const env: Record<string, string> = {
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_ANSWER_FLOOR_MS: '0',
    GATEWAY_MESH_DEADLINE_MS: String(meshDeadlineMs),
    SUBMISSION_SWEEP_INTERVAL_SECONDS: '1',
  };
  const direct = new Map<string, string>();
  for (const [prefix, name] of Object.entries(databases)) {
    const url = await createDatabase(postgres, name);
    direct.set(name, url);
    const link = between.get(`${name.replace('_', '-')}→postgres`);
    env[`${prefix}_DATABASE_URL`] = link === undefined ? url : url.replace(/:\d+\//, `:${link.port}/`);
  }
  const mesh = await startMesh({
    home,
    env,
    anyPorts: true,
    addressFor(caller, called, address) {
      const link = between.get(`${caller}→${called}`);
      if (link === undefined) return address;
      link.leadTo(Number(address.split(':')[1]));
      return `127.0.0.1:${link.port}`;
    },
  });
  opened.defer(() => mesh.close());
  between.get('phone→gateway')?.leadTo(mesh.ports.GATEWAY_PHONE_PORT);
  const poolOf = (name: string): Pool => {
    const pool = openPool({ url: direct.get(name) ?? '', poolSize: 2, setting: 'DATABASE_URL' }, silentLog);
    opened.defer(() => pool.close());
    return pool;
  };

  const dead = new Set<Party>();
  let bodies: number[] = [];
  return {
    mesh,
    link: (name) => between.get(name) as Link,
    kill(party) {
      dead.add(party);
      if (party !== 'postgres') return void mesh.processes.get(party)?.kill();
      bodies = [postgres.pid, ...processTree([postgres.pid])];
      for (const pid of bodies) killNow(pid);
    },
    async heal() {
      for (const party of dead) {
        if (party !== 'postgres') await mesh.restart(party);
        else postgres = await revive(postgres, directory, bodies);
      }
      dead.clear();
    },
    pools: {
      submission: poolOf('submission'),
      verification: poolOf('verification'),
      testResult: poolOf('test_result'),
    },
  };
}

async function revive(
  killed: EmbeddedPostgres,
  directory: string,
  bodies: readonly number[],
): Promise<EmbeddedPostgres> {
  await killed.close();
  // A new postmaster refuses the shared memory of processes that have not ended yet.
  while (bodies.some(isAlive)) await delay(5);
  return startEmbeddedPostgres({ directory, port: killed.port });
}

function killNow(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended by itself a moment ago.
  }
}

function isAlive(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
