import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { holds, table } from './check/report.ts';
import { runCheck } from './check/run-check.ts';
import { ruleFiles, rulesFolder } from './rules.ts';

/** Rules and queries, judged by Prometheus itself. */
const run = (tool: string, ...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(tool, args, { cwd: rulesFolder, encoding: 'utf8' });
  return { status, said: stdout + stderr, answer: stdout.trim() };
};
const has = (tool: string): boolean => spawnSync(tool, ['--version']).status === 0;
const missing = (tool: string, what: string): boolean => {
  if (!has(tool)) console.log(`${tool} is not installed: ${what}`);
  return !has(tool);
};

const withPromtool = test.skipIf(missing('promtool', 'rules were neither checked nor tried by it'));
const withPrometheus = test.skipIf(missing('prometheus', 'no query of a dashboard was asked of a real one'));
const withAmtool = test.skipIf(missing('amtool', 'the routing of alerts was not checked with it'));

withPromtool('promtool accepts every rule', () => {
  expect(run('promtool', 'check', 'rules', ...ruleFiles())).toMatchObject({ status: 0 });
});

withPromtool.each(ruleFiles())('%s fires when it should and is silent when it should', (file) => {
  const { status, said } = run('promtool', 'test', 'rules', file.replace('.yaml', '.test.yaml'));

  expect(status, said).toBe(0);
});

withPromtool('promtool accepts the scrape configuration', () => {
  const { status, said } = run('promtool', 'check', 'config', '--syntax-only', join(rulesFolder, '../prometheus.yaml'));

  expect(status, said).toBe(0);
});

const routes = [
  [['severity=page', 'team=ops-cwa'], 'ops-cwa-page'],
  [['severity=ticket', 'team=ops-verification'], 'ops-verification-ticket'],
  [['severity=page', 'team=ops-infrastructure'], 'ops-infrastructure-page'],
  [['severity=page', 'team=ops-security'], 'ops-security-page'],
  [['severity=page'], 'ops-infrastructure-page'],
] as const;
withAmtool.each(routes)('an alert with %s goes to %s', (labels, receiver) => {
  const file = join(rulesFolder, '../alertmanager.yaml');

  expect(run('amtool', 'check-config', file)).toMatchObject({ status: 0 });
  const { answer } = run('amtool', 'config', 'routes', 'test', `--config.file=${file}`, ...labels);
  expect(answer).toBe(receiver);
});

withPrometheus('every query of dashboards and rules returns data of a running mesh', { timeout: 480_000 }, async () => {
  const result = await runCheck({ people: 40, tell: () => {} });

  expect(holds(result), table(result)).toBe(true);
});
