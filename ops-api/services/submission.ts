import { count, guardedCount, namedCounts } from '../schema/figures.ts';
import type { Window } from '../schema/window.ts';
import type { ServiceDescription } from '../schema/context.ts';

interface Parent {
  readonly window: Window;
}

const requests = { process: 'submission', metric: 'submission_controller.requests' } as const;

/** What becomes of uploads behind the edge. Fakes never get here. */
export const service: ServiceDescription = {
  process: 'submission',
  team: 'ops-cwa',
  keeps: [{ metric: 'submission_controller.requests' }, { metric: 'cwa.submission.keys' }],
  load: { metric: 'submission_controller.requests', where: { type: 'all' } },
  typeDefs: `
extend type Intake {
  "Uploads that were accepted. Unit: uploads, in steps of 5. Source: \`submission_controller.requests\`."
  uploadsAccepted: Count!
  "Uploads that were refused, by reason; a small group, told by whole hours or days. Unit: uploads, in steps of 5. Source: \`submission_controller.requests\`."
  uploadsRefused: [NamedCount!]!
  "Diagnosis keys of accepted uploads by what became of them. Unit: keys, in steps of 150. Source: \`cwa.submission.keys\`."
  keys: [NamedCount!]!
}
`,
  resolvers: {
    Intake: {
      uploadsAccepted: ({ window }: Parent, _args, context) =>
        count(context, window, { ...requests, where: { type: 'real' } }),
      uploadsRefused: ({ window }: Parent, _args, context) =>
        // `all` would give a hidden reason away; it is never told beside them.
        ['invalidTan', 'invalidPayload', 'unavailable'].map((name) => ({
          name,
          count: guardedCount(context, window, { ...requests, where: { type: name } }),
        })),
      keys: ({ window }: Parent, _args, context) =>
        namedCounts(context, window, { process: 'submission', metric: 'cwa.submission.keys' }, 'cwa.outcome'),
    },
  },
};
