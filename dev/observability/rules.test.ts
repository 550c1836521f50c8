import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readRules, ruleFaults, ruleFiles, rulesFolder } from './rules.ts';

const rules = readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);
const teams = ['ops-cwa', 'ops-verification', 'ops-infrastructure', 'ops-security'];

test('rules ask only for what the catalog or another rule has', () => {
  expect(ruleFaults(rules)).toEqual([]);
});

test('every alert says how urgent it is, for whom, what is the matter and where to read on', () => {
  for (const { alert, labels, annotations } of alerts) {
    expect(['page', 'ticket'], alert).toContain(labels['severity']);
    expect(teams, alert).toContain(labels['team']);
    expect(annotations['summary'], alert).toBeTruthy();
    expect(annotations['description'], alert).toBeTruthy();
    expect(annotations['runbook_url'], alert).toBe(`docs/runbooks/${alert}.md`);
  }
});

test.each(ruleFiles())('%s has a firing and a silent case for every alert', (file) => {
  const cases = casesOf(testOf(file));
  const own = alerts.filter((rule) => rule.file === file);

  for (const { alert, labels } of own) {
    const about = cases.filter(({ expr }) => expr.includes(`ALERTS{alertname="${alert}",alertstate="firing"}`));
    const firing = about.flatMap(({ exp_samples }) => exp_samples ?? []);
    expect(
      firing.some((sample) => sample.labels.includes(`severity="${labels['severity']}"`)),
      `${alert} fires`,
    ).toBe(true);
    expect(
      about.some(({ exp_samples }) => (exp_samples ?? []).length === 0),
      `${alert} is silent`,
    ).toBe(true);
  }
});

// Without an order promtool takes the groups as it likes, and an alert may see what was recorded one evaluation before.
test.each(ruleFiles())('%s is tried with its groups in the order of the file', (file) => {
  const names = (read(file) as { groups: { name: string }[] }).groups.map(({ name }) => name);
  const { group_eval_order = names.slice(0, 1) } = read(testOf(file)) as { group_eval_order?: string[] };

  expect(group_eval_order).toEqual(names);
});

interface Case {
  readonly expr: string;
  readonly exp_samples?: readonly { readonly labels: string }[];
}

const testOf = (file: string): string => file.replace('.yaml', '.test.yaml');
const read = (file: string): unknown => parse(readFileSync(join(rulesFolder, file), 'utf8'));

function casesOf(file: string): readonly Case[] {
  expect(existsSync(join(rulesFolder, file)), file).toBe(true);
  const { tests } = read(file) as { tests: readonly { promql_expr_test: readonly Case[] }[] };
  return tests.flatMap(({ promql_expr_test }) => promql_expr_test);
}
