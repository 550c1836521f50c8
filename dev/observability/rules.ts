import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { repositoryRoot } from '../mesh/child.ts';
import { faultsOf, type Recording, vocabulary, type Vocabulary } from './catalog-check.ts';
import { readPromQl } from './promql.ts';

export const rulesFolder = join(repositoryRoot, 'k8s/base/observability/rules');

export interface Rule {
  readonly file: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  /** One of both. */
  readonly record?: string;
  readonly alert?: string;
  readonly annotations: Readonly<Record<string, string>>;
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly (Partial<Rule> & { expr: string })[] }[];
}

export const ruleFiles = (): string[] =>
  readdirSync(rulesFolder).filter((file) => file.endsWith('.yaml') && !file.endsWith('.test.yaml'));

/** Every recording and alerting rule, in the order of the files. */
export function readRules(): Rule[] {
  return ruleFiles().flatMap((file) => {
    const { groups } = parse(readFileSync(join(rulesFolder, file), 'utf8')) as RuleFile;
    return groups.flatMap(({ rules }) => rules.map((rule) => ({ labels: {}, annotations: {}, ...rule, file })));
  });
}

/** The catalog and what the rules record; a recording has the labels that it is given and those it sums by. */
export function vocabularyWith(rules: readonly Rule[]): Vocabulary {
  const recordings = rules.flatMap(({ record, expr, labels }): Recording[] => {
    if (record === undefined) return [];
    const kept = [...readPromQl(expr).groupings, ...Object.keys(labels)].map((label) => [label, 'open'] as const);
    return [{ name: record, labels: Object.fromEntries(kept) }];
  });
  return vocabulary(recordings);
}

export const ruleFaults = (rules: readonly Rule[]): string[] => {
  const known = vocabularyWith(rules);
  return rules.flatMap(({ file, alert, record, expr }) =>
    faultsOf(expr, known).map((fault) => `${file}, ${alert ?? record}: ${fault}`),
  );
};
