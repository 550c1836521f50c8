import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readText, repositoryFiles } from '../checks/source-files.ts';
import { repositoryRoot } from '../mesh/child.ts';
import { faultsOf } from './catalog-check.ts';
import { readRules, vocabularyWith } from './rules.ts';

const folder = join(repositoryRoot, 'docs/runbooks');
const rules = readRules();
const alerts = rules.filter(({ alert }) => alert !== undefined);
const names = [...new Set(alerts.map(({ alert }) => alert ?? ''))].sort();
const pages = readdirSync(folder)
  .filter((file) => file !== 'README.md')
  .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8') }));

test('every alert has its runbook, every runbook its alert and its line in the index', () => {
  const index = readFileSync(join(folder, 'README.md'), 'utf8');

  expect(pages.map(({ file }) => file).sort()).toEqual(names.map((name) => `${name}.md`));
  expect([...index.matchAll(/\]\((\w+)\.md\)/g)].map((match) => match[1]).sort()).toEqual(names);
});

test.each(pages)(
  '$file says what, for whom, how to check, what to do, when to escalate, what may be seen',
  ({ file, text }) => {
    const own = alerts.filter(({ alert }) => `${alert}.md` === file);

    expect(text.startsWith(`# ${file.replace('.md', '')}\n`)).toBe(true);
    for (const part of ['Means', 'For', 'Check', 'Do', 'Escalate', 'May be looked at'])
      expect(text).toContain(`**${part}**`);
    for (const { labels } of own) {
      expect(text).toContain(labels['team']);
      expect(text).toContain(labels['severity']);
    }
  },
);

test('queries in runbooks ask only for what there is', () => {
  const known = vocabularyWith(rules);

  const faults = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/```promql\n([^`]+)```/g)].flatMap(([, expression = '']) =>
      faultsOf(expression.trim(), known).map((fault) => `${file}: ${fault}`),
    ),
  );

  expect(faults).toEqual([]);
});

test('links lead somewhere', () => {
  const faults = pages.flatMap(({ file, text }) =>
    [...text.matchAll(/\]\(([^)#]+)\)/g)]
      .map(([, target = '']) => target)
      .filter((target) => !existsSync(join(dirname(join(folder, file)), target)))
      .map((target) => `${file}: ${target}`),
  );

  expect(faults).toEqual([]);
});

test('events and settings that runbooks name exist', () => {
  const sources = repositoryFiles(repositoryRoot)
    .filter((file) => /^(gateway|lib|ops-api|svc)\/.*(\.ts|README\.md)$/.test(file) && !file.endsWith('.test.ts'))
    .map((file) => readText(repositoryRoot, file))
    .join('\n');

  const faults = pages.flatMap(({ file, text }) => [
    ...[...text.matchAll(/event `([a-z-]+)`/g)]
      .filter(([, event]) => !sources.includes(`'${event}'`))
      .map(([, event]) => `${file}: event ${event}`),
    ...[...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)]
      .filter(
        ([, setting = '']) =>
          !sources.includes(setting.replace(/^(GATEWAY|SUBMISSION|VERIFICATION|DISTRIBUTION)_/, '')),
      )
      .map(([, setting]) => `${file}: setting ${setting}`),
  ]);

  expect(faults).toEqual([]);
});
