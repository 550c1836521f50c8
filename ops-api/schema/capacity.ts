import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import type { FleetProcess } from '../feed/fleet.ts';
import { hourMs } from '../history/series.ts';
import type { Load } from '../history/kept.ts';
import { connectionOf, connectionSdl, type PageArguments } from './connection.ts';
import type { OpsContext, Resolvers } from './context.ts';
import { count, level, tidy, valuesOf } from './figures.ts';
import { seenProcesses } from './instances.ts';
import { rangeOf } from './base.ts';
import { type RangeInput, slotsOf, stepMs, type Window, windowOf } from './window.ts';

/** What a request costs, how many there could be, and how near each limit is: the same of every process. */
export const typeDefs = `
extend type Query {
  "Load and limits of processes, measured over a range. Unit: list. Source: \`process.cpu.time\`, \`cwa.cap.utilization\` and the requests of each process."
  capacity(range: RangeInput, first: Int, after: String): CapacityConnection
}

"""
Load of one process. Cost: CPU time of all replicas divided by their requests, both measured over the range, so the
process's own housekeeping is in it. A replica works on one CPU (its JavaScript runs on one thread), so all of them
saturate at replicas / cost requests a second.
"""
type Capacity {
  "The process. Unit: text. Source: the process info."
  process: String!
  "Range it was measured over. Unit: none. Source: the range that was asked for."
  range: Range!
  "CPU time of all replicas. Unit: seconds. Source: \`process.cpu.time\`."
  cpuSeconds: Count!
  "Requests: of the gateway all that arrived, of the others what their service file names, else calls of the mesh. Unit: requests. Source: \`cwa.gateway.requests\`, \`cwa.submission.uploads\` or \`rpc.server.call.duration\`."
  requests: Count!
  "Measured cost; null below 100 requests. Unit: CPU seconds a request. Source: \`process.cpu.time\` and the requests."
  costPerRequestSeconds: Float
  "Replicas that answer. Unit: replicas. Source: the process info."
  instances: Int!
  "Requests a second at which all replicas are busy; null while the cost is unknown. Unit: requests a second. Source: \`process.cpu.time\` and the requests."
  predictedSaturation: Float
  "Share of CPU in use, mean of the range; null: nothing was told. Unit: percent. Source: \`process.cpu.time\`."
  usedPercent: Float
  "How far each limit is. Unit: list. Source: \`cwa.cap.utilization\`."
  caps(first: Int, after: String): CapConnection!
}

"One limit of a process."
type Cap {
  "Constant name of the code. Unit: text. Source: \`cwa.cap.utilization\`."
  name: String!
  "Highest use in the range, in steps of 5. Unit: percent of the limit. Source: \`cwa.cap.utilization\`."
  highestPercent: Float
  "What is left of the limit at the last minute that is known. Unit: percent of the limit. Source: \`cwa.cap.utilization\`."
  distancePercent: Float
  "Use over the range. Unit: share of the limit, 1 is all of it. Source: \`cwa.cap.utilization\`."
  utilization: Level!
}
${connectionSdl('Capacity', 'the process info')}
${connectionSdl('Cap', '`cwa.cap.utilization`')}
`;

interface Measured {
  readonly process: ProcessName;
  readonly answering: number;
  readonly window: Window;
}

const leastRequests = 100;

export const resolvers: Resolvers = {
  Query: {
    capacity: (_parent, { range, ...page }: { range?: RangeInput } & PageArguments, context) => {
      const window = windowOf(range, context.clock.nowMs());
      const measured = seenProcesses(context).map(({ process, instances }: FleetProcess) => {
        return { process, window, answering: instances.filter(({ up }) => up).length };
      });
      return connectionOf(measured, page, ({ process }) => process);
    },
  },
  Capacity: {
    range: rangeOf,
    cpuSeconds: cpuOf,
    requests: requestsOf,
    costPerRequestSeconds: (measured: Measured, _args, context) => costOf(measured, context),
    instances: ({ answering }: Measured) => answering,
    predictedSaturation: (measured: Measured, _args, context) => {
      const cost = costOf(measured, context);
      return cost ? tidy(measured.answering / cost) : null;
    },
    usedPercent: usedOf,
    caps: ({ process, window }: Measured, page: PageArguments, context) => {
      const metric = 'cwa.cap.utilization';
      const names = valuesOf(context, { process, metric }, 'cwa.cap');
      const caps = names.map((name) => {
        const utilization = level(context, window, { process, metric, where: { 'cwa.cap': name } });
        const known = utilization.points.flatMap(({ value }) => value ?? []);
        return {
          name,
          utilization,
          highestPercent: known.length === 0 ? null : tidy(Math.max(...known) * 100),
          distancePercent: utilization.latest === null ? null : tidy((1 - utilization.latest) * 100),
        };
      });
      return connectionOf(caps, page, ({ name }) => name);
    },
  },
};

function cpuOf({ process, window }: Measured, _args: unknown, context: OpsContext) {
  return count(context, window, { process, metric: 'process.cpu.time' });
}

function requestsOf({ process, window }: Measured, _args: unknown, context: OpsContext) {
  const load = context.services.find(({ name }) => name === process)?.load ?? calls;
  return count(context, window, { process, metric: load.metric, where: load.where ?? {} });
}

const calls: Load = { metric: 'rpc.server.call.duration' };

function costOf(measured: Measured, context: OpsContext): number | null {
  const cpu = cpuOf(measured, undefined, context).total;
  const requests = requestsOf(measured, undefined, context).total ?? 0;
  return cpu === null || requests < leastRequests ? null : tidy(cpu / requests);
}

/** CPU time over the time that replicas were there: an hour in which one told 60 times is one hour of one replica. */
function usedOf(measured: Measured, _args: unknown, context: OpsContext): number | null {
  const { process, window } = measured;
  const cpu = cpuOf(measured, undefined, context).total;
  const fine = stepMs[window.resolution] < hourMs;
  const unitMs = fine ? 60_000 : hourMs;
  const slots = (slotsOf(window).length * stepMs[window.resolution]) / unitMs;
  const told = context.history.samples(process, fine ? 'minute' : 'hour', window.fromMs / unitMs, slots);
  const seconds = told.reduce((sum, samples) => sum + samples, 0) * context.pollSeconds;
  return cpu === null || seconds === 0 ? null : tidy((cpu / seconds) * 100);
}
