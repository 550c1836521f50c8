import { type Ranged, ranged, rangeOf } from '../schema/base.ts';
import { namedCounts } from '../schema/figures.ts';
import type { ServiceDescription } from '../schema/context.ts';

const counts = (metric: 'cwa.verification.tans' | 'cwa.verification.tele_tans') =>
  ({ process: 'verification', metric }) as const;

/** Registrations of phones, TANs and teleTANs. `test-result.ts` adds results by kind. */
export const service: ServiceDescription = {
  process: 'verification',
  team: 'ops-verification',
  keeps: [
    { metric: 'cwa.verification.registrations' },
    { metric: 'cwa.verification.tans' },
    { metric: 'cwa.verification.tele_tans' },
  ],
  typeDefs: `
extend type Query {
  "How phones come to their results and TANs. Unit: none. Source: \`cwa.verification.registrations\`, \`cwa.verification.tans\`, \`cwa.verification.tele_tans\` and \`cwa.test_result.results\`."
  verification(range: RangeInput): Verification
}

"Verification in a range."
type Verification {
  "The range. Unit: none. Source: the range that was asked for."
  range: Range!
  "Registrations by what was registered. Unit: list. Source: \`cwa.verification.registrations\`."
  registrations: [Registrations!]!
  "TANs issued, used and expired. Unit: TANs, in steps of 50. Source: \`cwa.verification.tans\`."
  tans: [NamedCount!]!
  "teleTANs issued, used and expired. Unit: teleTANs, in steps of 50. Source: \`cwa.verification.tele_tans\`."
  teleTans: [NamedCount!]!
}

"Registrations with one kind of key."
type Registrations {
  "guid or tele-tan. Unit: text. Source: \`cwa.verification.registrations\`."
  keyType: String!
  "Registered and refused. Unit: registrations, in steps of 5. Source: \`cwa.verification.registrations\`."
  byOutcome: [NamedCount!]!
}
`,
  resolvers: {
    Query: {
      verification: ranged,
    },
    Verification: {
      range: rangeOf,
      registrations: ({ window }: Ranged) => ['guid', 'tele-tan'].map((keyType) => ({ keyType, window })),
      tans: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, counts('cwa.verification.tans'), 'cwa.outcome'),
      teleTans: ({ window }: Ranged, _args, context) =>
        namedCounts(context, window, counts('cwa.verification.tele_tans'), 'cwa.outcome'),
    },
    Registrations: {
      byOutcome: ({ keyType, window }: Ranged & { keyType: string }, _args, context) => {
        const where = { 'cwa.key.type': keyType };
        const selection = { process: 'verification', metric: 'cwa.verification.registrations', where } as const;
        return namedCounts(context, window, selection, 'cwa.outcome');
      },
    },
  },
};
