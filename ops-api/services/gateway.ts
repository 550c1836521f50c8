import { type Ranged, ranged, rangeOf } from '../schema/base.ts';
import { count, level, namedCounts } from '../schema/figures.ts';
import type { ServiceDescription } from '../schema/context.ts';

/** The public edge: what phones ask for, real and fake together. `submission.ts` adds what becomes of uploads. */
export const service: ServiceDescription = {
  process: 'gateway',
  team: 'ops-cwa',
  keeps: [
    { metric: 'cwa.gateway.requests' },
    { metric: 'cwa.gateway.downloads' },
    { metric: 'cwa.gateway.fake.share' },
    { metric: 'cwa.gateway.answer.late' },
  ],
  load: { metric: 'cwa.gateway.requests' },
  typeDefs: `
extend type Query {
  "What phones ask for and upload. Unit: none. Source: \`cwa.gateway.requests\` and \`cwa.submission.uploads\`."
  intake(range: RangeInput): Intake
}

"Intake of a range. Fakes and real requests are told apart nowhere but in the coarse share."
type Intake {
  "The range. Unit: none. Source: the range that was asked for."
  range: Range!
  "Requests of each route, real and fake together. Unit: requests, in steps of 5. Source: \`cwa.gateway.requests\`."
  requests: [RouteRequests!]!
  "Share of fakes among phone requests of the last full hour; null below 1,000 of them. Unit: share from 0 to 1, in steps of 0.1. Source: \`cwa.gateway.fake.share\`."
  fakeShare: Level!
  "Share of answers that missed their first slot of the schedule; null below 200 of them. Unit: share from 0 to 1, in steps of 0.005. Source: \`cwa.gateway.answer.late\`."
  lateShare: Level!
  "Downloads from the origin, whatever came of them; a CDN's are not among them. Unit: requests, in steps of 5. Source: \`cwa.gateway.downloads\`."
  downloads: Count!
  "Downloads by what was asked for, whatever came of it. Unit: requests, in steps of 5. Source: \`cwa.gateway.downloads\`."
  downloadsByArtifact: [NamedCount!]!
  "Downloads by what came of them. Unit: requests, in steps of 5. Source: \`cwa.gateway.downloads\`."
  downloadsByOutcome: [NamedCount!]!
}

"Requests of one route."
type RouteRequests {
  "The route, never a path. Unit: text. Source: \`cwa.gateway.requests\`."
  route: String!
  "By what became of them. Unit: requests, in steps of 5. Source: \`cwa.gateway.requests\`."
  byOutcome: [NamedCount!]!
}
`,
  resolvers: {
    Query: {
      intake: ranged,
    },
    Intake: {
      range: rangeOf,
      requests: ({ window }: Ranged) =>
        ['upload', 'registration', 'result', 'tan', 'download', 'partner'].map((route) => ({ route, window })),
      fakeShare: ({ window }: Ranged, _args, context) =>
        level(context, window, { process: 'gateway', metric: 'cwa.gateway.fake.share' }),
      lateShare: ({ window }: Ranged, _args, context) =>
        level(context, window, { process: 'gateway', metric: 'cwa.gateway.answer.late' }),
      downloads: ({ window }: Ranged, _args, context) => count(context, window, downloads),
      downloadsByArtifact: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, downloads, 'cwa.artifact'),
      downloadsByOutcome: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, downloads, 'cwa.outcome'),
    },
    RouteRequests: {
      byOutcome: ({ route, window }: Ranged & { route: string }, _args, context) => {
        const selection = {
          process: 'gateway',
          metric: 'cwa.gateway.requests',
          where: { 'http.route': route },
        } as const;
        return namedCounts(context, window, selection, 'cwa.outcome');
      },
    },
  },
};

const downloads = { process: 'gateway', metric: 'cwa.gateway.downloads' } as const;
