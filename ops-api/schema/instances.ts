import { type FleetProcess, type Instance, isAwaited } from '../feed/fleet.ts';
import { duties, type Team } from '../teams.ts';
import { processesOf } from '../service.ts';
import { connectionOf, connectionSdl, type PageArguments } from './connection.ts';
import type { OpsContext, Resolvers } from './context.ts';

/** Processes, their replicas and certificates: the same of every process. */
export const typeDefs = `
extend type Query {
  "Processes of the mesh with their replicas. Unit: list. Source: the process info."
  services(first: Int, after: String): ServiceConnection
  "Certificates of all processes that the team may see, the one that ends first before the others. Unit: list. Source: the process info, from \`cwa.certificate.remaining\`."
  certificates(first: Int, after: String): CertificateConnection
}

"What is known of how a process does."
enum Health {
  "Every replica answers and can use what it needs."
  UP
  "A replica does not answer, or cannot use something it needs."
  DEGRADED
  "No replica answers."
  DOWN
  "No replica has answered yet; it was asked for the first time less than a minute ago."
  AWAITED
  "No address is set for it: it is not asked."
  NOT_CONFIGURED
}

"One process of the mesh, with all its replicas."
type Service {
  "As in the communication matrix. Unit: text. Source: the process info."
  name: String!
  "Who operates it. Unit: text. Source: the table of teams."
  team: String!
  "The worst that is known. Unit: as its name says. Source: the process info and \`cwa.dependency.up\`."
  health: Health!
  "Replicas found at the last poll, and those that fell silent. Unit: list. Source: the process info."
  instances(first: Int, after: String): InstanceConnection!
}

"One replica."
type Instance {
  "Made at each start; none while it has never answered. Unit: text. Source: the process info."
  id: String
  "How it does. Unit: as its name says. Source: the process info and \`cwa.dependency.up\`."
  health: Health!
  "Version of the product. Unit: text. Source: the process info."
  version: String
  "Commit of the source, or unknown. Unit: text. Source: the process info."
  commit: String
  "When it started. Unit: time in UTC. Source: the process info."
  startedAt: DateTime
  "How long it has run; null while it does not answer. Unit: seconds. Source: \`process.uptime\`."
  uptimeSeconds: Float
  "When it last answered. Unit: time in UTC. Source: the process info."
  lastSeen: DateTime
  "Resident memory at the last answer. Unit: bytes, in steps of 16 MiB. Source: \`process.memory.usage\`."
  memoryBytes: Float
  "How late timers were, 99th percentile of the last minute. Unit: seconds. Source: \`nodejs.eventloop.delay.p99\`."
  eventLoopDelaySeconds: Float
  "What it needs. Unit: list, as many as the process has. Source: the process info, from \`cwa.dependency.up\`."
  dependencies: [Dependency!]!
  "Its certificates. Unit: list, as many as the process has. Source: the process info, from \`cwa.certificate.remaining\`."
  certificates: [Certificate!]!
}

"Something a process needs."
type Dependency {
  "Constant name of the code. Unit: text. Source: the process info."
  name: String!
  "Whether it could be used at the last minute. Unit: yes or no. Source: \`cwa.dependency.up\`."
  up: Boolean!
}

"One certificate of a process."
type Certificate {
  "Process that has it. Unit: text. Source: the process info."
  process: String!
  "What it is for. Unit: text. Source: the process info."
  name: String!
  "When it ends. Unit: time in UTC. Source: \`cwa.certificate.remaining\`."
  notAfter: DateTime!
  "Until it ends, by the mesh's clock; negative when it has ended. Unit: days. Source: \`cwa.certificate.remaining\`."
  remainingDays: Float!
}
${connectionSdl('Service', 'the process info')}
${connectionSdl('Instance', 'the process info')}
${connectionSdl('Certificate', 'the process info')}
`;

export const resolvers: Resolvers = {
  Query: {
    services: (_parent, page: PageArguments, context) =>
      connectionOf(seenProcesses(context), page, ({ process }) => process),
    certificates: (_parent, page: PageArguments, context) =>
      connectionOf(certificatesOf(context), page, ({ process, name, at }) => `${process} ${name} ${at}`),
  },
  Service: {
    name: ({ process }: FleetProcess) => process,
    team: ({ process }: FleetProcess, _args, { services }) => processesOf(services).get(process),
    health: (service: FleetProcess, _args, { clock }) => healthOfProcess(service, clock.monotonicMs()),
    instances: ({ instances }: FleetProcess, page: PageArguments) => connectionOf(instances, page, ({ key }) => key),
  },
  Instance: {
    id: ({ answer }: Instance) => answer?.process?.instance,
    health: (instance: Instance, _args, { clock }) => healthOf(instance, clock.monotonicMs()),
    version: ({ answer }: Instance) => answer?.process?.version,
    commit: ({ answer }: Instance) => answer?.process?.commit,
    startedAt: ({ answer }: Instance) => answer?.process?.startedAt,
    uptimeSeconds: (instance: Instance) => (instance.up ? latest(instance, 'process.uptime') : null),
    lastSeen: ({ lastSeenMs }: Instance) => (lastSeenMs === undefined ? null : new Date(lastSeenMs)),
    memoryBytes: (instance: Instance) => latest(instance, 'process.memory.usage'),
    eventLoopDelaySeconds: (instance: Instance) => latest(instance, 'nodejs.eventloop.delay.p99'),
    dependencies: ({ answer }: Instance) => answer?.process?.dependencies ?? [],
    certificates: (instance: Instance, _args, { clock }) => certificatesOfInstance(instance, '', clock.nowMs()),
  },
};

/** Processes that a team sees as such. */
export function seenProcesses({ fleet, services, operator }: OpsContext): readonly FleetProcess[] {
  const owners = processesOf(services);
  return fleet.all().filter(({ process }) => isSeen(operator.team, owners.get(process)));
}

const isSeen = (team: Team, owner: Team | undefined): boolean => duties[team].processes === 'every' || owner === team;

function healthOfProcess({ configured, instances }: FleetProcess, monotonicMs: number): string {
  if (!configured) return 'NOT_CONFIGURED';
  const states = instances.map((instance) => healthOf(instance, monotonicMs)).filter((state) => state !== 'AWAITED');
  if (states.length === 0 && instances.length > 0) return 'AWAITED';
  // None at all is down too.
  if (states.every((state) => state === 'DOWN')) return 'DOWN';
  return states.every((state) => state === 'UP') ? 'UP' : 'DEGRADED';
}

function healthOf(instance: Instance, monotonicMs: number): string {
  const { up, answer } = instance;
  if (!up) return isAwaited(instance, monotonicMs) ? 'AWAITED' : 'DOWN';
  return answer?.process?.dependencies.every((dependency) => dependency.up) ? 'UP' : 'DEGRADED';
}

function latest({ answer }: Instance, name: string): number | null {
  return answer?.metrics.find((metric) => metric.name === name)?.points[0]?.value ?? null;
}

function certificatesOf(context: OpsContext) {
  return seenProcesses(context)
    .flatMap(({ instances }) =>
      instances.flatMap((instance, at) => certificatesOfInstance(instance, String(at), context.clock.nowMs())),
    )
    .sort((a, b) => a.notAfter.getTime() - b.notAfter.getTime());
}

const dayMs = 86_400_000;

function certificatesOfInstance({ answer }: Instance, at: string, nowMs: number) {
  return (answer?.process?.certificates ?? []).flatMap(({ name, notAfter }) => {
    if (notAfter === undefined) return [];
    const remainingDays = Math.floor(((notAfter.getTime() - nowMs) / dayMs) * 100) / 100;
    return [{ process: answer?.process?.name ?? '', name, at, notAfter, remainingDays }];
  });
}
