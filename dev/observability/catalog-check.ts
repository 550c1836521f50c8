import { prometheusMetrics } from './prometheus-names.ts';
import { readPromQl } from './promql.ts';

/** Labels that the scrape configuration sets, and those of `target_info`. */
const targetLabels = ['job', 'instance'];

type Values = readonly string[] | 'open';

/** What may be asked for: name of a series → its labels. */
export type Vocabulary = ReadonlyMap<string, Readonly<Record<string, Values>>>;

/** Every series of the catalog, `up`, and what recording rules add. */
export function vocabulary(recordings: readonly Recording[] = []): Vocabulary {
  const known = new Map<string, Record<string, Values>>([['up', {}]]);
  for (const { definition, series, labels } of prometheusMetrics()) {
    const bounds = (definition.bounds ?? []).map(String);
    for (const name of series)
      known.set(name, name.endsWith('_bucket') ? { ...labels, le: [...bounds, '+Inf'] } : labels);
  }
  for (const { name, labels } of recordings) known.set(name, { ...known.get(name), ...labels });
  return known;
}

export interface Recording {
  readonly name: string;
  readonly labels: Readonly<Record<string, Values>>;
}

/** What is wrong with an expression: metrics, labels and values that nobody has. Empty: nothing. */
export function faultsOf(expression: string, known: Vocabulary): string[] {
  const { selectors, groupings } = readPromQl(expression);
  const faults = selectors.flatMap(({ name, matchers }) => {
    const labels = known.get(name);
    if (labels === undefined) return [`no metric ${name}`];
    return matchers.flatMap(({ label, operator, value }) => {
      if (targetLabels.includes(label)) return [];
      const values = labels[label];
      if (values === undefined) return [`${name} has no label ${label}`];
      if (values === 'open') return [];
      const asked = operator.includes('~') ? value.split('|') : [value];
      return asked.filter((one) => !values.includes(one)).map((one) => `${name}: ${label} is never ${one}`);
    });
  });
  const all = new Set([...targetLabels, ...selectors.flatMap(({ name }) => Object.keys(known.get(name) ?? {}))]);
  return [
    ...faults,
    ...groupings.filter((label) => !all.has(label)).map((label) => `no metric here has label ${label}`),
  ];
}
