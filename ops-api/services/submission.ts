import type { Ranged } from '../schema/base.ts';
import { count, guardedCount, namedCounts } from '../schema/figures.ts';
import type { ServiceDescription } from '../schema/context.ts';

const uploads = { process: 'submission', metric: 'cwa.submission.uploads' } as const;

/** What becomes of uploads behind the edge. Fakes never get here. */
export const service: ServiceDescription = {
  process: 'submission',
  team: 'ops-cwa',
  keeps: [{ metric: 'cwa.submission.uploads' }, { metric: 'cwa.submission.keys' }],
  // Those that were refused would make of it what small groups hide.
  load: { metric: 'cwa.submission.uploads', where: { 'cwa.outcome': 'stored' } },
  typeDefs: `
extend type Intake {
  "Uploads that were accepted. Unit: uploads, in steps of 5. Source: \`cwa.submission.uploads\`."
  uploadsAccepted: Count!
  "Uploads that were refused, by reason; a small group, told by whole hours or days. Unit: uploads, in steps of 5. Source: \`cwa.submission.uploads\`."
  uploadsRefused: [NamedCount!]!
  "Diagnosis keys of accepted uploads by what became of them. Unit: keys, in steps of 1,500. Source: \`cwa.submission.keys\`."
  keys: [NamedCount!]!
}
`,
  resolvers: {
    Intake: {
      uploadsAccepted: ({ window }: Ranged, _args, context) =>
        count(context, window, { ...uploads, where: { 'cwa.outcome': 'stored' } }),
      uploadsRefused: ({ window }: Ranged, _args, context) =>
        ['tan-refused', 'payload-refused', 'unavailable'].map((name) => ({
          name,
          count: guardedCount(context, window, { ...uploads, where: { 'cwa.outcome': name } }),
        })),
      keys: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, { process: 'submission', metric: 'cwa.submission.keys' }, 'cwa.outcome'),
    },
  },
};
