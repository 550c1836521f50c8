import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import {
  DistributionServiceService,
  type GetDistributionReportResponse,
  type RunDistributionResponse,
} from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import { freePort } from '../../lib/db/embedded-postgres.ts';
import { createAuthority, writePki } from '../../lib/pki/authority.ts';
import type { Env } from '../../lib/process/config.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { makeLocalSecrets } from './certificates.ts';
import { type MeshProcess, startProcess } from './child.ts';
import { startClockService } from './clock-service.ts';
import { type DatabaseOwner, openDatabases } from './databases.ts';
import { type ObjectStoreAccess, openObjectStore } from './object-store.ts';
import { anyPorts, fixedPorts, type Ports } from './ports.ts';

export interface MeshOptions {
  readonly home: string;
  readonly env: Env;
  /** Time at which a new home's clock starts; default is the system's time. */
  readonly startAtMs?: number;
  /** Free ports everywhere instead of the fixed ones. */
  readonly anyPorts?: boolean;
  /** Flags of Node for the process `name`, such as those of a profiler. */
  readonly nodeFlags?: (name: string) => readonly string[];
  readonly onProgress?: (step: string) => void;
  /** Where `caller` shall find `called`, instead of at `address`: puts something between two processes. */
  readonly addressFor?: (caller: string, called: string, address: string) => string;
}

/** All processes of the system on this machine, over real mutual TLS. */
export interface Mesh {
  readonly home: string;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly objectStore: ObjectStoreAccess;
  readonly processes: ReadonlyMap<string, MeshProcess>;
  /** Process id of the embedded PostgreSQL, if there is one. */
  readonly postgresPid?: number;
  /** Where the service keeps its rows, for benchmarks that fill tables beforehand. */
  databaseUrl(service: DatabaseOwner): string;
  /** Process ids of everything that belongs to the mesh, this process and the database included. */
  pids(): number[];
  runDistribution(): Promise<RunDistributionResponse>;
  distributionReport(): Promise<GetDistributionReportResponse>;
  /** Moves the clock forward, with a distribution run at the start of every hour passed and at the end. */
  advanceTo(ms: number, onHour?: (now: Date) => void): Promise<number>;
  /** Ends a process as by SIGKILL and starts it anew. */
  restart(name: string): Promise<void>;
  close(): Promise<void>;
}

const scripts = {
  'test-result': 'svc/test-result/main.ts',
  verification: 'svc/verification/main.ts',
  submission: 'svc/submission/main.ts',
  distribution: 'svc/distribution/main.ts',
  gateway: 'gateway/main.ts',
} as const;

type Name = keyof typeof scripts;
const names = Object.keys(scripts) as Name[];
const prefixOf = (name: Name) => name.replaceAll('-', '_').toUpperCase();

/** Settings that several processes read under one name. */
const shared = /^(SUPPORTED_COUNTRIES|ORIGIN_COUNTRY|DAYS_TO_PUBLISH|MAX_|MIN_|RANDOM_|LOG_LEVEL|NODE_EXTRA_|MAXIMUM_)/;

export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const { home, env } = options;
  const progress = options.onProgress ?? (() => {});
  const steps: (() => Promise<void> | void)[] = [];
  const close = async () => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  try {
    return await open();
  } catch (error) {
    await close();
    throw error;
  }

  async function open(): Promise<Mesh> {
    const ports = options.anyPorts ? await anyPorts() : await fixedPorts(env);
    mkdirSync(join(home, 'log'), { recursive: true, mode: 0o700 });
    const { signingKeyFile, pepperFile } = makeLocalSecrets(home);
    await makePki(home);
    const clockService = await startClockService(join(home, 'clock.json'), options.startAtMs);
    steps.push(() => clockService.close());
    const { clock } = clockService;

    progress('starting PostgreSQL and the object store');
    const databases = await openDatabases(home, env);
    if (databases.embedded) steps.push(() => databases.embedded?.close());
    const objectStore = await openObjectStore(home, env, steps);

    const rpcPorts = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await freePort()] as const)),
    ) as Record<Name, number>;
    const addressFor = options.addressFor ?? ((_caller, _called, address) => address);
    const addressesFor = (caller: Name) =>
      Object.fromEntries(
        names.map((name) => [`${prefixOf(name)}_ADDRESS`, addressFor(caller, name, `127.0.0.1:${rpcPorts[name]}`)]),
      );
    const envOf = (name: Name): Record<string, string> => {
      const prefix = prefixOf(name);
      const given = Object.entries(env).filter(([key]) => key.startsWith(`${prefix}_`) || shared.test(key));
      return {
        ...(Object.fromEntries(given) as Record<string, string>),
        CLOCK_URL: clockService.url,
        [`${prefix}_HOST`]: env[`${prefix}_HOST`] || (name === 'gateway' ? '::' : '127.0.0.1'),
        [`${prefix}_PORT`]: String(rpcPorts[name]),
        [`${prefix}_TLS_CERT_FILE`]: join(home, 'pki', `${name}.crt`),
        [`${prefix}_TLS_KEY_FILE`]: join(home, 'pki', `${name}.key`),
        [`${prefix}_TLS_CA_FILE`]: join(home, 'pki', 'ca.crt'),
        ...addressesFor(name),
        ...extraEnv(name),
      };
    };
    const extraEnv = (name: Name): Record<string, string> => {
      switch (name) {
        case 'test-result':
          return { ...databases.envOf('TEST_RESULT'), TEST_RESULT_MANAGEMENT_PORT: `${ports.TEST_RESULT_MANAGEMENT_PORT}` };
        case 'verification':
          return {
            ...databases.envOf('VERIFICATION'),
            VERIFICATION_MANAGEMENT_PORT: `${ports.VERIFICATION_MANAGEMENT_PORT}`,
            VERIFICATION_TELE_TAN_PEPPER_FILE: env['VERIFICATION_TELE_TAN_PEPPER_FILE'] || pepperFile,
          };
        case 'submission':
          return { ...databases.envOf('SUBMISSION'), SUBMISSION_MANAGEMENT_PORT: `${ports.SUBMISSION_MANAGEMENT_PORT}` };
        case 'distribution':
          return {
            ...databases.envOf('DISTRIBUTION'),
            ...objectStore.env,
            DISTRIBUTION_MANAGEMENT_PORT: `${ports.DISTRIBUTION_MANAGEMENT_PORT}`,
            DISTRIBUTION_INTERVAL_SECONDS: '0',
            DISTRIBUTION_SIGNING_KEY_FILE: env['DISTRIBUTION_SIGNING_KEY_FILE'] || signingKeyFile,
          };
        case 'gateway':
          return {
            ...objectStore.env,
            GATEWAY_PHONE_PORT: `${ports.GATEWAY_PHONE_PORT}`,
            GATEWAY_PARTNER_PORT: `${ports.GATEWAY_PARTNER_PORT}`,
            GATEWAY_MANAGEMENT_PORT: `${ports.GATEWAY_MANAGEMENT_PORT}`,
            GATEWAY_PARTNERS_FILE: env['GATEWAY_PARTNERS_FILE'] || writePartners(home),
          };
      }
    };

    const processes = new Map<string, MeshProcess>();
    const start = async (name: Name): Promise<void> => {
      const managementPort = ports[`${prefixOf(name)}_MANAGEMENT_PORT` as keyof Ports];
      processes.set(
        name,
        await startProcess({
          name,
          script: scripts[name],
          env: envOf(name),
          logFile: join(home, 'log', `${name}.log`),
          readyUrl: `http://127.0.0.1:${managementPort}/health/ready`,
          nodeFlags: options.nodeFlags?.(name) ?? [],
        }),
      );
    };
    steps.push(async () => {
      // The edge first, so that no request meets a service that is already gone.
      for (const name of [...names].reverse()) await processes.get(name)?.stop();
    });
    progress('starting test-result, verification, submission, distribution and the gateway');
    // All starts must have settled before an error may stop the mesh; else a late one would be left running.
    const started = await Promise.allSettled(names.map(start));
    for (const result of started) if (result.status === 'rejected') throw result.reason;

    const scheduler = openScheduler(home, rpcPorts.distribution);
    steps.push(() => scheduler.close());

    let turn: Promise<unknown> = Promise.resolve();
    /** One at a time: a run at the end of the minute must not meet one that a moved clock made due. */
    const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
      const next = turn.then(work, work);
      turn = next.catch(() => {});
      return next;
    };

    return {
      home,
      ports,
      clock,
      objectStore,
      processes,
      ...(databases.embedded ? { postgresPid: databases.embedded.pid } : {}),
      databaseUrl: (service) => databases.urlOf(service),
      pids: () => [
        process.pid,
        ...[...processes.values()].map((child) => child.pid),
        ...(databases.embedded ? [databases.embedded.pid] : []),
        ...(objectStore.pid ? [objectStore.pid] : []),
      ],
      runDistribution: () => inTurn(() => scheduler.client.runDistribution({})),
      distributionReport: () => scheduler.client.getDistributionReport({}),
      advanceTo: (ms, onHour) =>
        inTurn(async () => {
          let runs = 0;
          const goTo = async (at: number) => {
            await clockService.moveTo(at);
            await scheduler.client.runDistribution({});
            runs++;
            onHour?.(new Date(at));
          };
          for (let hour = (Math.floor(clock.nowMs() / 3_600_000) + 1) * 3_600_000; hour < ms; hour += 3_600_000) await goTo(hour);
          await goTo(Math.max(ms, clock.nowMs()));
          return runs;
        }),
      async restart(name) {
        await processes.get(name)?.kill();
        await start(name as Name);
      },
      close,
    };
  }
}

/** Certificates for every process and outside caller; kept as long as the home lives. */
async function makePki(home: string): Promise<void> {
  const folder = join(home, 'pki');
  const complete = [...names, 'scheduler', 'lab', 'operator'].every((name) => existsSync(join(folder, `${name}.key`)));
  if (complete) return;
  const authority = await createAuthority('CWA local authority', systemClock.now());
  await writePki(folder, { authority, processes: [...names, 'scheduler'] });
}

/** The local lab certificate may use any labId and every partner route (decision 21). */
function writePartners(home: string): string {
  const file = join(home, 'partners.json');
  const certificate = new X509Certificate(readFileSync(join(home, 'pki', 'lab.crt')));
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  const partner = { name: 'local-lab', fingerprint, labIds: ['*'], routes: ['lab', 'quicktest', 'pocnat'] };
  writeFileSync(file, `${JSON.stringify([partner], null, 2)}\n`);
  return file;
}

function openScheduler(home: string, port: number) {
  const folder = join(home, 'pki');
  const certificates = watchCertificates({
    certFile: join(folder, 'scheduler.crt'),
    keyFile: join(folder, 'scheduler.key'),
    caFile: join(folder, 'ca.crt'),
  });
  const channel = openChannel({
    address: `127.0.0.1:${port}`,
    serverName: 'distribution',
    certificates,
    clock: systemClock,
  });
  return {
    client: clientOf(channel, 'cwa.distribution.v1.DistributionService', DistributionServiceService, { deadlineMs: 300_000 }),
    close() {
      channel.close();
      certificates.close();
    },
  };
}

/** Says that the guided journey has ended well; gone as soon as the mesh stops (decision 2). */
export function markReady(home: string, ready: boolean): void {
  const file = join(home, 'ready');
  if (ready) writeFileSync(file, '');
  else rmSync(file, { force: true });
}
