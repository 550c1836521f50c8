import { join } from 'node:path';
import type {
  GetDistributionReportResponse,
  RunDistributionResponse,
} from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import type { Env } from '../../lib/process/config.ts';
import { freePort } from '../../lib/process/free-port.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { SecurityCollector } from '../security-collector/collector.ts';
import { makeLocalSecrets, makePki, writePartners } from './certificates.ts';
import type { MeshProcess } from './child.ts';
import { startClockService } from './clock-service.ts';
import { type DatabaseOwner, openDatabases } from './databases.ts';
import { lockHome, makeHome, markReady, refuseSecondMesh } from './home.ts';
import { identityProviderOf } from './identity-provider.ts';
import { type Name, names } from './names.ts';
import { type ObjectStoreAccess, openObjectStore } from './object-store.ts';
import { anyPorts, fixedPorts, managementSetting, type Ports } from './ports.ts';
import type { Surroundings } from './processes.ts';
import { runningIn } from './running.ts';
import { openScheduler } from './scheduler.ts';
import { openSecurityCollector } from './security-collector.ts';

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
  await using opened = new AsyncDisposableStack();
  const mesh = await open(options, opened);
  const closing = opened.move();
  return { ...mesh, close: () => closing.disposeAsync() };
}

async function open(options: MeshOptions, opened: AsyncDisposableStack): Promise<Omit<Mesh, 'close'>> {
  const { home, env } = options;
  const progress = options.onProgress ?? (() => {});
  refuseSecondMesh(home);
  const ports = options.anyPorts ? await anyPorts() : await fixedPorts(env);
  makeHome(home);
  opened.defer(lockHome(home));
  markReady(home, false);
  await makePki(home);
  const secrets = makeLocalSecrets(home, env);
  const clockService = await startClockService(join(home, 'clock.json'), options.startAtMs);
  opened.defer(() => clockService.close());

  progress('starting PostgreSQL and the object store');
  const databases = await openDatabases(home, env, opened);
  const objectStore = await openObjectStore(home, env, opened);
  const securityCollector = env['SECURITY_FEED_URL'] ? undefined : await openSecurityCollector(home, opened);
  const identityProvider = identityProviderOf(home, ports.IDENTITY_PROVIDER_PORT);
  opened.defer(() => identityProvider.stop());
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
  const running = runningIn(around, options.nodeFlags ?? (() => []));
  opened.defer(() => running.stop());
  await running.startAll(first);
  if (options.prober !== undefined) await running.start('prober', options.prober);
  const scheduler = openScheduler(home, around.rpcPorts.distribution, clockService);
  opened.defer(() => scheduler.close());

  const { processes } = running;
  return {
    home,
    ports,
    clock: clockService.clock,
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
    startProber: (settings) => running.start('prober', settings),
    runDistribution: () => scheduler.run(),
    distributionReport: () => scheduler.report(),
    advanceTo: (ms, onHour, signal) => scheduler.advanceTo(ms, onHour, signal),
    async restart(name, settings) {
      await processes.get(name)?.kill();
      await running.start(name as Name, settings);
    },
  };
}

async function meshPorts(): Promise<Record<Name, number>> {
  const free = await Promise.all(names.map(async (name) => [name, await freePort()] as const));
  return Object.fromEntries(free) as Record<Name, number>;
}
