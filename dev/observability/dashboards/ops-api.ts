import { type Dashboard, quantile, query, rateBy, timeseries } from './builder.ts';
import { processRows } from './process-rows.ts';

export const opsApi: Dashboard = {
  name: 'ops-api',
  title: 'Ops API',
  description: 'Who asks the ops API, and how well it is fed. Operators alone: everything is exact.',
  rows: [
    {
      title: 'Operators',
      panels: [
        timeseries({
          title: 'Requests by team',
          description: 'Requests a second by team and outcome; limited: too deep, too dear or too often.',
          unit: 'reqps',
          queries: [rateBy('cwa_ops_requests_total', 'cwa_team', 'cwa_outcome')],
          runbooks: ['OpsQueriesFailing', 'SignInRefused'],
        }),
        timeseries({
          title: 'Duration of queries',
          description: 'Median and p99, seconds.',
          unit: 's',
          queries: [
            query(quantile(0.5, 'cwa_ops_query_duration', ''), 'median'),
            query(quantile(0.99, 'cwa_ops_query_duration', ''), 'p99'),
          ],
        }),
        timeseries({
          title: 'Calls for metrics',
          description: 'Calls a second to each process by outcome.',
          unit: 'cps',
          queries: [rateBy('cwa_ops_polls_total', 'cwa_service', 'cwa_outcome')],
          runbooks: ['OpsPollsFailing'],
        }),
      ],
    },
    ...processRows('ops-api', { dependencies: false, limits: false }),
  ],
};
