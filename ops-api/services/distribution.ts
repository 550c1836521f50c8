import { type DistributionRun, type KeyPackage, RunOutcome } from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import { type Ranged, ranged, rangeOf } from '../schema/base.ts';
import { connectionOf, connectionSdl, type PageArguments } from '../schema/connection.ts';
import type { OpsContext } from '../schema/context.ts';
import { count, level, namedCounts, namedLevels } from '../schema/figures.ts';
import type { ServiceDescription } from '../schema/context.ts';

const process = 'distribution';

/** What is published: everybody can download it; how much of it is padding nobody is told. */
export const service: ServiceDescription = {
  process,
  team: 'ops-cwa',
  keeps: [
    { metric: 'cwa.distribution.runs' },
    { metric: 'cwa.distribution.run.age' },
    { metric: 'cwa.distribution.keys.published', shared: true },
    { metric: 'cwa.distribution.keys.excluded', shared: true },
    { metric: 'cwa.distribution.keys.waiting' },
    { metric: 'cwa.distribution.packages' },
    { metric: 'cwa.distribution.package.size' },
    { metric: 'cwa.distribution.package.age' },
    { metric: 'cwa.distribution.next_run' },
    { metric: 'cwa.distribution.signatures' },
  ],
  typeDefs: `
extend type Query {
  "Runs and published key packages. Unit: none. Source: \`cwa.distribution.runs\`, \`cwa.distribution.packages\` and the process info of distribution."
  distribution(range: RangeInput): Distribution
}

"Distribution in a range, and how it stands now."
type Distribution {
  "The range. Unit: none. Source: the range that was asked for."
  range: Range!
  "Runs by how they ended. Unit: runs. Source: \`cwa.distribution.runs\`."
  runsByOutcome: [NamedCount!]!
  "The last runs, newest first, at most 50. Unit: list. Source: the process info of distribution."
  runs(first: Int, after: String): RunConnection!
  "Time since the last run that ended well. Unit: seconds. Source: \`cwa.distribution.run.age\`."
  lastRunAge: Level!
  "Time until the next run is due; negative when it is late. Unit: seconds. Source: \`cwa.distribution.next_run\`."
  nextRun: Level!
  "The last key packages, newest first, at most 50. Unit: list. Source: the process info of distribution."
  packages(first: Int, after: String): PackageConnection!
  "Published key packages. Unit: packages. Source: \`cwa.distribution.packages\`."
  packagesPublished: Count!
  "Keys that were published, diagnosis keys and padding. Unit: keys, in steps of 150. Source: \`cwa.distribution.keys.published\`."
  keysPublished: [NamedCount!]!
  "Keys that will never be published, by the rule that excludes them. Unit: keys, in steps of 150. Source: \`cwa.distribution.keys.excluded\`."
  keysExcluded: [NamedCount!]!
  "Keys that no package holds yet. Unit: keys, in steps of 150. Source: \`cwa.distribution.keys.waiting\`."
  keysWaiting: Level!
  "Time since the end of the newest published hour or day. Unit: seconds. Source: \`cwa.distribution.package.age\`."
  packageAge: [NamedLevel!]!
  "Size of the newest package, largest of all regions. Unit: bytes. Source: \`cwa.distribution.package.size\`."
  packageSize: [NamedLevel!]!
  "Signatures of packages and configurations. Unit: signatures. Source: \`cwa.distribution.signatures\`."
  signatures: [NamedCount!]!
}

"One run that published, or tried to."
type Run {
  "When it began. Unit: time in UTC. Source: the process info of distribution."
  startedAt: DateTime
  "How long it took. Unit: seconds. Source: the process info of distribution."
  durationSeconds: Float!
  "done, incomplete (something was left to the next run) or failed. Unit: text. Source: the process info of distribution."
  outcome: String!
  "Packages it published. Unit: packages. Source: the process info of distribution."
  packages: Int!
  "Objects it wrote. Unit: objects. Source: the process info of distribution."
  objectsPut: Int!
  "Objects it deleted. Unit: objects. Source: the process info of distribution."
  objectsDeleted: Int!
}

"One published key package."
type Package {
  "Country or EUR. Unit: text. Source: the process info of distribution."
  region: String!
  "hour or day. Unit: text. Source: the process info of distribution."
  window: String!
  "End of the hour or day it covers. Unit: time in UTC. Source: the process info of distribution."
  windowEnd: DateTime
  "Keys in it, padding included. Unit: keys. Source: the process info of distribution."
  keys: Int!
  "0 without padding, else as many as \`keys\`: what is left of a padded package may be a single person's. Unit: keys. Source: the process info of distribution."
  paddingKeys: Int!
  "Its size. Unit: bytes. Source: the process info of distribution."
  bytes: Int!
}
${connectionSdl('Run', 'the process info of distribution')}
${connectionSdl('Package', 'the process info of distribution')}
`,
  resolvers: {
    Query: {
      distribution: ranged,
    },
    Distribution: {
      range: rangeOf,
      runsByOutcome: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, { process, metric: 'cwa.distribution.runs' }, 'cwa.outcome'),
      runs: (_parent, page: PageArguments, context) =>
        connectionOf(newest(context)?.runs ?? [], page, ({ startedAt }) => String(startedAt?.getTime())),
      lastRunAge: ({ window }: Ranged, _args, context) =>
        level(context, window, { process, metric: 'cwa.distribution.run.age' }),
      nextRun: ({ window }: Ranged, _args, context) =>
        level(context, window, { process, metric: 'cwa.distribution.next_run' }),
      packages: (_parent, page: PageArguments, context) => connectionOf(newest(context)?.packages ?? [], page, nameOf),
      packagesPublished: ({ window }: Ranged, _args, context) =>
        count(context, window, { process, metric: 'cwa.distribution.packages' }),
      keysPublished: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, { process, metric: 'cwa.distribution.keys.published' }, 'cwa.key.kind'),
      keysExcluded: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, { process, metric: 'cwa.distribution.keys.excluded' }, 'cwa.rule'),
      keysWaiting: ({ window }: Ranged, _args, context) =>
        level(context, window, { process, metric: 'cwa.distribution.keys.waiting' }),
      packageAge: ({ window }: Ranged, _args, context) =>
        namedLevels(context, window, { process, metric: 'cwa.distribution.package.age' }, 'cwa.window'),
      packageSize: ({ window }: Ranged, _args, context) =>
        namedLevels(context, window, { process, metric: 'cwa.distribution.package.size' }, 'cwa.window'),
      signatures: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, { process, metric: 'cwa.distribution.signatures' }, 'cwa.outcome'),
    },
    Run: { outcome: ({ outcome }: DistributionRun) => outcomes.get(outcome) ?? 'unknown' },
    Package: { window: ({ day }: KeyPackage) => (day ? 'day' : 'hour') },
  },
};

const outcomes: ReadonlyMap<RunOutcome, string> = new Map([
  [RunOutcome.RUN_OUTCOME_DONE, 'done'],
  [RunOutcome.RUN_OUTCOME_INCOMPLETE, 'incomplete'],
  [RunOutcome.RUN_OUTCOME_FAILED, 'failed'],
]);

const nameOf = ({ region, windowEnd, day }: KeyPackage): string =>
  `${region} ${day ? 'day' : 'hour'} ${windowEnd?.getTime()}`;

/** Replicas read the same tables; the last that answered knows most. */
function newest({ fleet }: OpsContext) {
  const seen = fleet.get(process)?.instances.filter(({ answer }) => answer !== undefined) ?? [];
  return [...seen].sort((a, b) => (b.lastSeenMs ?? 0) - (a.lastSeenMs ?? 0))[0]?.answer;
}
