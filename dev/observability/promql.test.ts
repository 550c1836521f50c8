import { expect, test } from 'vitest';
import { readPromQl } from './promql.ts';

test('names, matchers and groupings are found', () => {
  const { selectors, groupings } = readPromQl(
    'sum by (job, le) (rate(a_total{x="1,2",y!~"b|c"}[5m])) / on (job) group_left (z) max_over_time(b:c[1h:1m] offset 5m) > bool 0.5',
  );

  expect(selectors).toEqual([
    {
      name: 'a_total',
      matchers: [
        { label: 'x', operator: '=', value: '1,2' },
        { label: 'y', operator: '!~', value: 'b|c' },
      ],
    },
    { name: 'b:c', matchers: [] },
  ]);
  expect(groupings).toEqual(['job', 'le', 'job', 'z']);
});

test('keywords, functions and numbers are no metrics', () => {
  const names = readPromQl(
    'count(up == 0) unless absent(up{job="a"}) or vector(1) and histogram_quantile(0.99, x)',
  ).selectors;

  expect(names.map(({ name }) => name)).toEqual(['up', 'up', 'x']);
});
