import { type Ranged, ranged, rangeOf } from './base.ts';
import { connectionOf, connectionSdl, type PageArguments } from './connection.ts';
import type { OpsContext, Resolvers } from './context.ts';
import { type Count, count, valuesOf } from './figures.ts';
import type { Window } from './window.ts';

/** How many security events there were; one by one they are in the security feed, not here. */
export const typeDefs = `
extend type Query {
  "Security events by kind and process. Unit: none. Source: \`cwa.security.events\`."
  security(range: RangeInput): Security
}

"Security events of a range."
type Security {
  "The range. Unit: none. Source: the range that was asked for."
  range: Range!
  "Counts by process and kind; kinds that did not occur have 0. Unit: list. Source: \`cwa.security.events\`."
  events(first: Int, after: String): SecurityCountConnection!
}

"How often one kind of event was reported by one process."
type SecurityCount {
  "The process that reported. Unit: text. Source: \`cwa.security.events\`."
  process: String!
  "Kind of event, a constant of the code. Unit: text. Source: \`cwa.security.events\`."
  kind: String!
  "How many. Unit: events. Source: \`cwa.security.events\`."
  count: Count!
}
${connectionSdl('SecurityCount', '`cwa.security.events`')}
`;

export const resolvers: Resolvers = {
  Query: {
    security: ranged,
  },
  Security: {
    range: rangeOf,
    events: ({ window }: Ranged, page: PageArguments, context) =>
      connectionOf(eventsOf(window, context), page, ({ process, kind }) => `${process} ${kind}`),
  },
};

const metric = 'cwa.security.events';

function eventsOf(window: Window, context: OpsContext): { process: string; kind: string; count: Count }[] {
  return context.fleet.all().flatMap(({ process }) =>
    valuesOf(context, { process, metric }, 'cwa.security.event').map((kind) => ({
      process,
      kind,
      count: count(context, window, { process, metric, where: { 'cwa.security.event': kind } }),
    })),
  );
}
