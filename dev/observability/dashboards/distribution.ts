import { type Dashboard, query, rateBy, stat, timeseries } from './builder.ts';
import { databaseRow, processRows } from './process-rows.ts';

const hour = 3_600;

export const distribution: Dashboard = {
  name: 'distribution',
  title: 'Distribution',
  description: 'Runs, packages, keys and the object store.',
  rows: [
    {
      title: 'At a glance',
      panels: [
        stat({
          title: 'Last good run',
          description: 'Time since a run last ended well.',
          unit: 'dtdurations',
          queries: [query('min(cwa_distribution_run_age)', 'ago')],
          warn: hour,
          bad: 1.25 * hour,
          runbooks: ['DistributionRunMissing'],
        }),
        stat({
          title: 'Next run in',
          description: 'Time until the next run is due.',
          unit: 'dtdurations',
          queries: [query('min(cwa_distribution_next_run)', 'in')],
        }),
        stat({
          title: 'Newest hour package',
          description: 'Time since the end of the newest published hour. Up to an hour and the run are ordinary.',
          unit: 'dtdurations',
          queries: [query('min(cwa_distribution_package_age{cwa_window="hour"})', 'age')],
          warn: 1.25 * hour,
          bad: 1.5 * hour,
          runbooks: ['NewestPackageTooOld', 'PublishDelayBurn'],
        }),
        stat({
          title: 'Newest day package',
          description: 'Time since the end of the newest published day. Up to a day and the run are ordinary.',
          unit: 'dtdurations',
          queries: [query('min(cwa_distribution_package_age{cwa_window="day"})', 'age')],
          warn: 25 * hour,
          bad: 26 * hour,
          runbooks: ['NewestPackageTooOld'],
        }),
        stat({
          title: 'Keys waiting',
          description: 'Keys that no package holds yet; steps of 150.',
          unit: 'short',
          queries: [query('max(cwa_distribution_keys_waiting)', 'keys')],
          runbooks: ['KeysWaitingGrow'],
        }),
        stat({
          title: 'Within 15 minutes',
          description:
            'Share of the hour packages of the last day that came within 15 minutes of the end of their hour. Objective: 99 %.',
          unit: 'percentunit',
          queries: [
            query(
              'sum(increase(cwa_distribution_publish_delay_bucket{cwa_window="hour",le="900"}[1d])) / sum(increase(cwa_distribution_publish_delay_count{cwa_window="hour"}[1d]))',
              'in time',
            ),
          ],
          warn: 0.99,
          bad: 0.95,
          low: true,
          max: 1,
          runbooks: ['PublishDelayBurn'],
        }),
      ],
    },
    {
      title: 'Runs and packages',
      panels: [
        timeseries({
          title: 'Runs by outcome',
          description:
            'Runs in the window. Incomplete: something was left to the next one. Busy: another run was under way.',
          unit: 'short',
          queries: [query('sum by (cwa_outcome) (increase(cwa_distribution_runs_total[$window]))', '{{cwa_outcome}}')],
          runbooks: ['DistributionRunIncomplete'],
        }),
        timeseries({
          title: 'Duration of runs',
          description: 'Mean and p90 of how long runs took, seconds.',
          unit: 's',
          queries: [
            query(
              'sum(rate(cwa_distribution_run_duration_sum[$window])) / sum(rate(cwa_distribution_run_duration_count[$window]))',
              'mean',
            ),
            query('histogram_quantile(0.9, sum by (le) (rate(cwa_distribution_run_duration_bucket[$window])))', 'p90'),
          ],
        }),
        timeseries({
          title: 'Packages published',
          description: 'Key packages in the window by region and window; empty ones count.',
          unit: 'short',
          queries: [
            query(
              'sum by (cwa_region, cwa_window) (increase(cwa_distribution_packages_total[$window]))',
              '{{cwa_region}} {{cwa_window}}',
            ),
          ],
        }),
        timeseries({
          title: 'Size of the newest package',
          description: 'Bytes by region and window.',
          unit: 'bytes',
          queries: [
            query('max by (cwa_region, cwa_window) (cwa_distribution_package_size)', '{{cwa_region}} {{cwa_window}}'),
          ],
        }),
        timeseries({
          title: 'Keys published',
          description: 'Keys in hour packages a second, each once; padding beside diagnosis keys.',
          unit: 'cps',
          queries: [rateBy('cwa_distribution_keys_published_total', 'cwa_key_kind')],
          stack: true,
        }),
        timeseries({
          title: 'Keys never published',
          description: 'Keys in the window by the rule that excludes them; steps of 150.',
          unit: 'short',
          queries: [
            query('sum by (cwa_rule) (increase(cwa_distribution_keys_excluded_total[$window]))', '{{cwa_rule}}'),
          ],
          runbooks: ['KeysExpiredUnpublished'],
        }),
        timeseries({
          title: 'Keys waiting',
          description: 'Keys that no package holds yet; steps of 150.',
          unit: 'short',
          queries: [query('max(cwa_distribution_keys_waiting)', 'waiting')],
          runbooks: ['KeysWaitingGrow'],
        }),
        timeseries({
          title: 'Object store',
          description: 'Requests a second by operation and outcome.',
          unit: 'reqps',
          queries: [rateBy('cwa_distribution_store_requests_total', 'cwa_store_operation', 'cwa_outcome')],
          runbooks: ['ObjectStoreFailing'],
        }),
        timeseries({
          title: 'Signatures',
          description: 'Signatures in the window by outcome.',
          unit: 'short',
          queries: [
            query('sum by (cwa_outcome) (increase(cwa_distribution_signatures_total[$window]))', '{{cwa_outcome}}'),
          ],
          runbooks: ['SignaturesFailing'],
        }),
      ],
    },
    databaseRow('distribution', false),
    ...processRows('distribution'),
  ],
};
