import { type Ranged, ranged, rangeOf } from '../schema/base.ts';
import { connectionOf, type PageArguments } from '../schema/connection.ts';
import { namedCounts } from '../schema/figures.ts';
import type { ServiceDescription } from '../schema/context.ts';

/** This API itself. */
export const service: ServiceDescription = {
  process: 'ops-api',
  team: 'ops-infrastructure',
  keeps: [{ metric: 'cwa.ops.requests' }, { metric: 'cwa.ops.polls' }],
  load: { metric: 'cwa.ops.requests' },
  typeDefs: `
extend type Query {
  "What operators ask, and how the processes answer for it. Unit: none. Source: \`cwa.ops.requests\` and \`cwa.ops.polls\`."
  operations(range: RangeInput): Operations
}

"The ops API in a range."
type Operations {
  "The range. Unit: none. Source: the range that was asked for."
  range: Range!
  "Requests of each team, and of nobody who was let in. Unit: requests. Source: \`cwa.ops.requests\`."
  requestsByTeam(first: Int, after: String): NamedCountConnection!
  "Requests by what became of them. Unit: requests. Source: \`cwa.ops.requests\`."
  requestsByOutcome: [NamedCount!]!
  "Polls that found the process silent. Unit: calls. Source: \`cwa.ops.polls\`."
  failedPolls(first: Int, after: String): NamedCountConnection!
}
`,
  resolvers: {
    Query: {
      operations: ranged,
    },
    Operations: {
      range: rangeOf,
      requestsByTeam: ({ window }: Ranged, page: PageArguments, context) =>
        connectionOf(namedCounts(context, window, requests, 'cwa.team'), page, ({ name }) => name),
      requestsByOutcome: ({ window }: Ranged, _args, context) => namedCounts(context, window, requests, 'cwa.outcome'),
      failedPolls: ({ window }: Ranged, page: PageArguments, context) =>
        connectionOf(namedCounts(context, window, failed, 'cwa.service'), page, ({ name }) => name),
    },
  },
};

const requests = { process: 'ops-api', metric: 'cwa.ops.requests' } as const;
const failed = { process: 'ops-api', metric: 'cwa.ops.polls', where: { 'cwa.outcome': 'failed' } } as const;
