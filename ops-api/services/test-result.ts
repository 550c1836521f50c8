import { guardedCount } from '../schema/figures.ts';
import type { Window } from '../schema/window.ts';
import { definitionOf } from '../../lib/telemetry/catalog/catalog.ts';
import type { ServiceDescription } from '../schema/context.ts';

const metric = 'cwa.test_result.results';

/** Results by kind, over all partners: small groups, told by whole hours or days. */
export const service: ServiceDescription = {
  process: 'test-result',
  team: 'ops-verification',
  keeps: [{ metric }],
  typeDefs: `
extend type Verification {
  "Results that were stored, by kind of test and result, over all partners. Never what phones fetched: that is recorded nowhere. Unit: list. Source: \`${metric}\`."
  results: [ResultKind!]!
}

"Stored results of one kind; a small group."
type ResultKind {
  "Kind of test. Unit: text. Source: \`${metric}\`."
  family: String!
  "What was found. Unit: text. Source: \`${metric}\`."
  result: String!
  "How many. Unit: results, in steps of 5. Source: \`${metric}\`."
  count: Count!
}
`,
  resolvers: {
    Verification: {
      results: ({ window }: { window: Window }, _args, context) =>
        valuesOfCatalog('cwa.test.family').flatMap((family) =>
          valuesOfCatalog('cwa.result').map((result) => {
            const where = { 'cwa.test.family': family, 'cwa.result': result };
            return { family, result, count: guardedCount(context, window, { process: 'test-result', metric, where }) };
          }),
        ),
    },
  },
};

function valuesOfCatalog(attribute: string): readonly string[] {
  const values = definitionOf(metric).attributes[attribute];
  return values === undefined || values === 'open' ? [] : values;
}
