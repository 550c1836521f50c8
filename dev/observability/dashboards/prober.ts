import { bars, type Dashboard, quantile, query, stat, timeseries } from './builder.ts';
import { processRows } from './process-rows.ts';

export const prober: Dashboard = {
  name: 'prober',
  title: 'Prober',
  description: 'The synthetic journey from a laboratory to a second phone. No person is in it: everything is exact.',
  rows: [
    {
      title: 'The journey',
      panels: [
        stat({
          title: 'Last went well',
          description: 'Time since the whole journey last reached its end. Its export waits for the end of an hour.',
          unit: 'dtdurations',
          queries: [query('min(cwa_probe_success_age)', 'ago')],
          warn: 7_200,
          bad: 10_800,
          runbooks: ['ProbeFailing'],
        }),
        stat({
          title: 'Results within 60 s',
          description:
            'Share of the probes of the last 6 hours that had the reported result within 60 s. Objective: 99 %.',
          unit: 'percentunit',
          queries: [query('1 - cwa:slo_error_ratio:6h{cwa_slo="result-delay"}', 'in time')],
          warn: 0.99,
          bad: 0.95,
          low: true,
          max: 1,
          runbooks: ['ResultDelayBurn'],
        }),
        bars({
          title: 'Steps that failed in the window',
          description: 'Failed steps by step, exact.',
          unit: 'short',
          queries: [
            query(
              'sum by (cwa_probe_step) (increase(cwa_probe_steps_total{cwa_outcome="failed"}[$window]))',
              '{{cwa_probe_step}}',
            ),
          ],
          width: 8,
          warn: 1,
          bad: 2,
          runbooks: ['ProbeStepFailing'],
        }),
        timeseries({
          title: 'Steps by outcome',
          description: 'Steps in the window by outcome, over all steps.',
          unit: 'short',
          queries: [query('sum by (cwa_outcome) (increase(cwa_probe_steps_total[$window]))', '{{cwa_outcome}}')],
          width: 12,
          runbooks: ['ProbeStepFailing'],
        }),
        timeseries({
          title: 'Duration of steps, p90',
          description: 'Seconds by step; those of phones are slots of the answer schedule.',
          unit: 's',
          queries: [
            query(
              quantile(0.9, 'cwa_probe_step_duration', 'cwa_probe_step!="export"', ['cwa_probe_step']),
              '{{cwa_probe_step}}',
            ),
          ],
          width: 12,
        }),
        timeseries({
          title: 'Upload to signed package, median',
          description: 'Seconds from the upload to the package with the keys of the probe.',
          unit: 's',
          queries: [
            query(
              'histogram_quantile(0.5, sum by (le) (rate(cwa_probe_step_duration_bucket{cwa_probe_step="export"}[$window])))',
              'export',
            ),
          ],
          width: 12,
          runbooks: ['PublishDelayBurn'],
        }),
      ],
    },
    ...processRows('prober', { dependencies: false, limits: false }),
  ],
};
