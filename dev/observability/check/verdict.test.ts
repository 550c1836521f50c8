import { expect, test } from 'vitest';
import type { Prometheus } from './prometheus.ts';
import { holds, table } from './report.ts';
import { isFault, judge, type Verdict } from './verdict.ts';

const prometheus = (answer: readonly number[] | Error): Pick<Prometheus, 'query'> => ({
  async query() {
    if (answer instanceof Error) throw answer;
    return answer.map((value) => ({ labels: {}, value }));
  },
});
const names = new Set(['up']);
const asked = { where: 'dashboard x: y', expr: 'up', alert: false };
const alert = { ...asked, alert: true };

test.each<[string, typeof asked, readonly number[] | Error, Verdict['outcome']]>([
  ['a query with data', asked, [1, 2], 'data'],
  ['a query without data', asked, [], 'empty'],
  ['a share of nothing', asked, [Number.NaN], 'empty'],
  ['a query for what nobody tells', { ...asked, expr: 'down' }, [], 'unknown-metric'],
  ['what is no PromQL', asked, new Error('parse error'), 'error'],
  ['an alert with nothing wrong', alert, [], 'silent'],
  ['an alert that would fire', alert, [1], 'data'],
  ['an alert on what nobody tells', { ...alert, expr: 'down > 1' }, [], 'unknown-metric'],
])('%s', async (_what, question, answer, outcome) => {
  const verdict = await judge(question, prometheus(answer), names);

  expect(verdict.outcome).toBe(outcome);
  expect(isFault(verdict)).toBe(['empty', 'unknown-metric', 'error'].includes(outcome));
});

test('the report ends with the sum, and one fault is enough', async () => {
  const verdicts = [await judge(asked, prometheus([0.5]), names), await judge(asked, prometheus([]), names)];
  const result = { verdicts, untold: [], ruleErrors: [] };

  expect(holds(result)).toBe(false);
  expect(holds({ ...result, verdicts: verdicts.slice(0, 1) })).toBe(true);
  expect(holds({ verdicts: [], untold: [], ruleErrors: ['x: failed'] })).toBe(false);
  expect(table(result)).toContain('2 expressions: 1 with data, 0 silent as they may be, 1 faults; 0 metrics untold');
});
