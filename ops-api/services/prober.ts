import { type Ranged, ranged, rangeOf } from '../schema/base.ts';
import { level, namedCounts } from '../schema/figures.ts';
import { definitionOf } from '../../lib/telemetry/catalog/catalog.ts';
import type { ServiceDescription } from '../schema/context.ts';

const process = 'prober';

/** The synthetic journey: nobody's data. */
export const service: ServiceDescription = {
  process,
  team: 'ops-cwa',
  keeps: [{ metric: 'cwa.probe.steps' }, { metric: 'cwa.probe.success.age' }],
  typeDefs: `
extend type Query {
  "The synthetic journey from the laboratory to the second phone. Unit: none. Source: \`cwa.probe.steps\` and \`cwa.probe.success.age\`."
  probe(range: RangeInput): Probe
}

"The prober in a range."
type Probe {
  "The range. Unit: none. Source: the range that was asked for."
  range: Range!
  "Time since the whole journey last went well, or since the prober started while it never has. Unit: seconds. Source: \`cwa.probe.success.age\`."
  successAge: Level!
  "Steps in the order of the journey. Unit: list. Source: \`cwa.probe.steps\`."
  steps: [ProbeStep!]!
}

"One step of the journey."
type ProbeStep {
  "Its name. Unit: text. Source: \`cwa.probe.steps\`."
  name: String!
  "Passed and failed. Unit: steps. Source: \`cwa.probe.steps\`."
  byOutcome: [NamedCount!]!
}
`,
  resolvers: {
    Query: {
      probe: ranged,
    },
    Probe: {
      range: rangeOf,
      successAge: ({ window }: Ranged, _args, context) =>
        level(context, window, { process, metric: 'cwa.probe.success.age' }),
      steps: ({ window }: Ranged) => {
        const names = definitionOf('cwa.probe.steps').attributes['cwa.probe.step'];
        return (names === undefined || names === 'open' ? [] : names).map((name) => ({ name, window }));
      },
    },
    ProbeStep: {
      byOutcome: ({ name, window }: Ranged & { name: string }, _args, context) => {
        const selection = { process, metric: 'cwa.probe.steps', where: { 'cwa.probe.step': name } } as const;
        return namedCounts(context, window, selection, 'cwa.outcome');
      },
    },
  },
};
