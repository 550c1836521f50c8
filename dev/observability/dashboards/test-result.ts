import { type Dashboard, query, rateBy, stat, timeseries } from './builder.ts';
import { databaseRow, meshRow, processRows } from './process-rows.ts';

export const testResult: Dashboard = {
  name: 'test-result',
  title: 'Test results',
  description: 'Results that were stored, over all partners. Whether a phone fetched one is recorded nowhere.',
  rows: [
    {
      title: 'Results',
      panels: [
        stat({
          title: 'Stored in the window',
          description: 'Results stored, over all partners; steps of 5 for each kind.',
          unit: 'short',
          queries: [query('sum(increase(cwa_test_result_results_total[$window]))', 'results')],
          runbooks: ['ResultsStopped'],
        }),
        timeseries({
          title: 'By result',
          description: 'Results a second by what was found; steps of 5.',
          unit: 'cps',
          queries: [rateBy('cwa_test_result_results_total', 'cwa_result')],
          stack: true,
          runbooks: ['ResultsStopped'],
        }),
        timeseries({
          title: 'By kind of test',
          description: 'Results a second by kind of test; steps of 5.',
          unit: 'cps',
          queries: [rateBy('cwa_test_result_results_total', 'cwa_test_family')],
          stack: true,
        }),
      ],
    },
    meshRow('test-result'),
    databaseRow('test-result'),
    ...processRows('test-result'),
  ],
};
