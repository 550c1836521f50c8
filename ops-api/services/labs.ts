import { type Ranged, ranged, rangeOf } from '../schema/base.ts';
import { connectionOf, connectionSdl, type PageArguments } from '../schema/connection.ts';
import { count, guardedCount, guardedPercentiles, namedCounts, valuesOf } from '../schema/figures.ts';
import type { Window } from '../schema/window.ts';
import type { ServiceDescription } from '../schema/context.ts';

interface Partner {
  readonly name: string;
  readonly window: Window;
}

const process = 'gateway';
const of = ({ name }: Partner) => ({ 'cwa.partner': name });

/**
 * Laboratories and their gateways. Results of a partner by outcome or reason are small groups. The outcome `refused` is
 * not told beside the reasons that make it up, so that no reason can be worked out from the others.
 */
export const service: ServiceDescription = {
  process,
  team: 'ops-verification',
  keeps: [
    { metric: 'cwa.lab.requests' },
    { metric: 'cwa.lab.results' },
    { metric: 'cwa.lab.refusals' },
    { metric: 'cwa.lab.result.delay', buckets: true },
  ],
  typeDefs: `
extend type Query {
  "What partners deliver, one by one. Never what phones fetched of it. Unit: none. Source: \`cwa.lab.requests\`, \`cwa.lab.results\`, \`cwa.lab.refusals\` and \`cwa.lab.result.delay\`."
  labs(range: RangeInput): Labs
}

"Partners in a range."
type Labs {
  "The range. Unit: none. Source: the range that was asked for."
  range: Range!
  "Partners that delivered anything within 40 days. Unit: list. Source: \`cwa.lab.requests\`."
  partners(first: Int, after: String): PartnerConnection!
}

"One partner."
type Partner {
  "Its name in the list of partners. Unit: text. Source: \`cwa.lab.requests\`."
  name: String!
  "Deliveries and look-ups by what became of them. Unit: requests. Source: \`cwa.lab.requests\`."
  requests: [NamedCount!]!
  "Results that were new; a small group. Unit: results, in steps of 5. Source: \`cwa.lab.results\`."
  resultsStored: Count!
  "Results that were known already; a small group. Unit: results, in steps of 5. Source: \`cwa.lab.results\`."
  resultsUnchanged: Count!
  "Refused results by the reason that their receipts give; small groups. Unit: results, in steps of 5. Source: \`cwa.lab.refusals\`."
  refusals(first: Int, after: String): NamedCountConnection!
  "From the sample to the delivery; null where too few delivered results say when the sample was taken. Unit: none. Source: \`cwa.lab.result.delay\`."
  delay: Delay
}

"Percentiles of a delay, each as the upper bound of the histogram's bucket it falls into."
type Delay {
  "Half are not slower. Unit: seconds. Source: \`cwa.lab.result.delay\`."
  p50Seconds: Float!
  "90 of 100 are not slower. Unit: seconds. Source: \`cwa.lab.result.delay\`."
  p90Seconds: Float!
  "99 of 100 are not slower. Unit: seconds. Source: \`cwa.lab.result.delay\`."
  p99Seconds: Float!
}
${connectionSdl('Partner', '`cwa.lab.requests`')}
`,
  resolvers: {
    Query: {
      labs: ranged,
    },
    Labs: {
      range: rangeOf,
      partners: ({ window }: Ranged, page: PageArguments, context) => {
        const names = valuesOf(context, { process, metric: 'cwa.lab.requests' }, 'cwa.partner');
        return connectionOf(
          names.map((name): Partner => ({ name, window })),
          page,
          ({ name }) => name,
        );
      },
    },
    Partner: {
      requests: (partner: Partner, _args, context) => {
        const selection = { process, metric: 'cwa.lab.requests', where: of(partner) } as const;
        return namedCounts(context, partner.window, selection, 'cwa.outcome', count);
      },
      resultsStored: (partner: Partner, _args, context) =>
        guardedCount(context, partner.window, results(partner, 'stored')),
      resultsUnchanged: (partner: Partner, _args, context) =>
        guardedCount(context, partner.window, results(partner, 'unchanged')),
      refusals: (partner: Partner, page: PageArguments, context) => {
        const selection = { process, metric: 'cwa.lab.refusals', where: of(partner) } as const;
        const counts = namedCounts(context, partner.window, selection, 'cwa.reason', guardedCount);
        return connectionOf(counts, page, ({ name }) => name);
      },
      delay: (partner: Partner, _args, context) => {
        const selection = { process, metric: 'cwa.lab.result.delay', where: of(partner) } as const;
        const percentiles = guardedPercentiles(context, partner.window, selection, [0.5, 0.9, 0.99]);
        if (percentiles === undefined) return null;
        const [p50Seconds, p90Seconds, p99Seconds] = percentiles;
        return { p50Seconds, p90Seconds, p99Seconds };
      },
    },
  },
};

const results = (partner: Partner, outcome: 'stored' | 'unchanged') =>
  ({ process, metric: 'cwa.lab.results', where: { ...of(partner), 'cwa.outcome': outcome } }) as const;
