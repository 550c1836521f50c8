import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type {
  GetDistributionReportResponse,
  RunDistributionResponse,
} from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import { ConfigError, type Env } from '../../lib/process/config.ts';
import { freePort } from '../../lib/process/free-port.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { SecurityCollector } from '../security-collector/collector.ts';
import { makeLocalSecrets, makePki, writePartners } from './certificates.ts';
import { type MeshProcess, startProcess } from './child.ts';
import { startClockService } from './clock-service.ts';
import { type DatabaseOwner, openDatabases } from './databases.ts';
import { lockHome, makeHome } from './home-lock.ts';
import { identityProviderOf } from './identity-provider.ts';
import { type Name, names, prefixOf, scripts } from './names.ts';
import { type ObjectStoreAccess, openObjectStore } from './object-store.ts';
import { anyPorts, fixedPorts, type Ports } from './ports.ts';
import { environmentOf, type Surroundings } from './processes.ts';
import { openScheduler } from './scheduler.ts';
import { openSecurityCollector } from './security-collector.ts';

type Steps = (() => Promise<void> | void)[];
const hourMs = 3_600_000;

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
  /** Settings with which the prober starts at once; without them it starts when `startProber` is called. */
  readonly prober?: Readonly<Record<string, string>>;
  /** Where `caller` shall find `called`, instead of at `address`: puts something between two processes. */
  readonly addressFor?: (caller: string, called: string, address: string) => string;
}

/** All processes of the system on this machine, over real mutual TLS. */
export interface Mesh {
  readonly home: string;
  readonly ports: Ports;
  readonly clock: Clock;
  readonly objectStore: ObjectStoreAccess;
  /** Management ports of the processes that run, by setting. */
  managementPorts(): Readonly<Record<string, number>>;
  readonly processes: ReadonlyMap<string, MeshProcess>;
  /** Absent when the environment names a collector. */
  readonly securityCollector?: SecurityCollector;
  /** The embedded PostgreSQL and object store, where they are used. */
  readonly companions: readonly Pick<MeshProcess, 'name' | 'ended'>[];
  /** Process id of the embedded PostgreSQL, if there is one. */
  readonly postgresPid?: number;
  /** Where the service keeps its rows, for benchmarks that fill tables beforehand. */
  databaseUrl(service: DatabaseOwner): string;
  /** Process ids of everything that belongs to the mesh, this process and the database included. */
  pids(): number[];
  /** Starts what gives operators their tokens; nothing else of the mesh needs it. */
  startIdentityProvider(): Promise<MeshProcess>;
  /** Starts the prober, which is not part of a mesh that nobody watches. */
  startProber(settings?: Readonly<Record<string, string>>): Promise<void>;
  runDistribution(): Promise<RunDistributionResponse>;
  distributionReport(): Promise<GetDistributionReportResponse>;
  /** Moves the clock forward, with a distribution run at the start of every hour passed and at the end. */
  advanceTo(ms: number, onHour?: (now: Date) => void, signal?: AbortSignal): Promise<number>;
  /** Ends a process as by SIGKILL and starts it anew, with `settings` over what it had at first. */
  restart(name: string, settings?: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts everything; throws `ConfigError` with sentences that name the setting, after stopping what had started.
 */
export async function startMesh(options: MeshOptions): Promise<Mesh> {
  const steps: Steps = [];
  const close = async () => {
    for (const step of steps.splice(0).reverse()) await step();
  };
  try {
    return await open(options, steps, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(options: MeshOptions, steps: Steps, close: () => Promise<void>): Promise<Mesh> {
  const { home, env } = options;
  const progress = options.onProgress ?? (() => {});
  const ports = options.anyPorts ? await anyPorts() : await fixedPorts(env);
  makeHome(home);
  steps.push(lockHome(home));
  markReady(home, false);
  await makePki(home);
  const secrets = makeLocalSecrets(home, env);
  const clockService = await startClockService(join(home, 'clock.json'), options.startAtMs);
  steps.push(() => clockService.close());
  const { clock } = clockService;

  progress('starting PostgreSQL and the object store');
  const databases = await openDatabases(home, env, steps);
  const objectStore = await openObjectStore(home, env, steps);
  const securityCollector = env['SECURITY_FEED_URL'] ? undefined : await openSecurityCollector(home, steps);
  const identityProvider = identityProviderOf(home, ports.IDENTITY_PROVIDER_PORT);
  steps.push(() => identityProvider.stop());
  const around: Surroundings = {
    home,
    env,
    ports,
    clockUrl: clockService.url,
    databases,
    objectStore,
    secrets,
    partnersFile: writePartners(home),
    securityFeedUrl: env['SECURITY_FEED_URL'] || (securityCollector?.url ?? ''),
    rpcPorts: await meshPorts(),
    addressFor: options.addressFor ?? ((_caller, _called, address) => address),
  };

  const first = names.filter((name) => name !== 'prober');
  progress(`starting ${first.join(', ')}`);
  const processes = new Map<string, MeshProcess>();
  const start = async (name: Name, settings: Readonly<Record<string, string>> = {}): Promise<void> => {
    const managementPort = ports[managementSetting(name)];
    processes.set(
      name,
      await startProcess({
        name,
        script: scripts[name],
        env: { ...environmentOf(name, around), ...settings },
        logFile: join(home, 'log', `${name}.log`),
        readyUrl: `http://127.0.0.1:${managementPort}/health/ready`,
        nodeFlags: options.nodeFlags?.(name) ?? [],
      }),
    );
  };
  let prober: Promise<void> = Promise.resolve();
  const startProber = (settings?: Readonly<Record<string, string>>): Promise<void> => {
    prober = start('prober', settings);
    return prober;
  };
  steps.push(async () => {
    // What is half started cannot be stopped.
    await prober.catch(() => {});
    // The edge first, so that no request meets a service that is already gone.
    for (const name of [...names].reverse()) await processes.get(name)?.stop();
  });
  // All starts must have settled before an error may stop the mesh; else a late one would be left running.
  const failures = (await Promise.allSettled(first.map((name) => start(name)))).flatMap((result) =>
    result.status === 'rejected' ? [result.reason as unknown] : [],
  );
  const faults = failures.flatMap((failure) => (failure instanceof ConfigError ? failure.faults : []));
  if (faults.length > 0) throw new ConfigError(faults);
  if (failures.length > 0) throw failures[0];
  if (options.prober !== undefined) await startProber(options.prober);
  const scheduler = openScheduler(home, around.rpcPorts.distribution);
  steps.push(() => scheduler.close());
  const inTurn = oneAtATime();

  return {
    home,
    ports,
    clock,
    objectStore,
    managementPorts: () =>
      Object.fromEntries(
        names
          .filter((name) => processes.has(name))
          .map((name) => [managementSetting(name), ports[managementSetting(name)]]),
      ),
    processes,
    ...(securityCollector ? { securityCollector } : {}),
    companions: [
      ...(databases.embedded ? [{ name: 'PostgreSQL', ended: databases.embedded.ended }] : []),
      ...(objectStore.process ? [objectStore.process] : []),
    ],
    ...(databases.embedded ? { postgresPid: databases.embedded.pid } : {}),
    databaseUrl: (service) => databases.urlOf(service),
    pids: () => [
      process.pid,
      ...[...processes.values()].map((child) => child.pid),
      ...(databases.embedded ? [databases.embedded.pid] : []),
      ...(objectStore.process ? [objectStore.process.pid] : []),
      ...[identityProvider.current()].flatMap((started) => (started ? [started.pid] : [])),
    ],
    startIdentityProvider: () => identityProvider.start(),
    startProber,
    runDistribution: () => inTurn(() => scheduler.client.runDistribution({})),
    distributionReport: () => scheduler.client.getDistributionReport({}),
    advanceTo: (ms, onHour, signal) =>
      inTurn(async () => {
        const now = clock.nowMs();
        const hours: number[] = [];
        for (let at = (Math.floor(now / hourMs) + 1) * hourMs; at < ms; at += hourMs) hours.push(at);
        const stops = [...hours, Math.max(ms, now)];
        for (const at of stops) {
          signal?.throwIfAborted();
          await clockService.moveTo(at);
          await scheduler.client.runDistribution({});
          onHour?.(new Date(at));
        }
        return stops.length;
      }),
    async restart(name, settings) {
      await processes.get(name)?.kill();
      await start(name as Name, settings);
    },
    close,
  };
}

const managementSetting = (name: Name) => `${prefixOf(name)}_MANAGEMENT_PORT` as keyof Ports;

async function meshPorts(): Promise<Record<Name, number>> {
  const free = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
  return Object.fromEntries(free) as Record<Name, number>;
}

/** The run of the minute must not meet one that a moved clock made due. */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = turn.then(work, work);
    turn = next.catch(() => {});
    return next;
  };
}

/** Says that the guided journey has ended well; gone as soon as the mesh stops (decision 2). */
export function markReady(home: string, ready: boolean): void {
  const file = join(home, 'ready');
  if (ready) writeFileSync(file, '');
  else rmSync(file, { force: true });
}
