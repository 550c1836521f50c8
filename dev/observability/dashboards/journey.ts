import { type Dashboard, query, rateBy, type Row, stat, timeseries } from './builder.ts';

const objective = (title: string, slo: string, goal: number, runbook: string, description: string) =>
  stat({
    title,
    description: `${description} Over the last 3 days; objective ${goal * 100} % over 30.`,
    unit: 'percentunit',
    queries: [query(`1 - cwa:slo_error_ratio:3d{cwa_slo="${slo}"}`, 'good')],
    width: 6,
    warn: goal,
    bad: 1 - 2 * (1 - goal),
    low: true,
    max: 1,
    runbooks: [runbook],
  });

const objectives: Row = {
  title: 'Service level objectives',
  panels: [
    objective(
      'Phones are answered',
      'phone-availability',
      0.999,
      'PhoneAvailabilityBurn',
      'Requests of phones answered, among answered, failed and shed.',
    ),
    objective(
      'Downloads succeed',
      'download-success',
      0.999,
      'DownloadSuccessBurn',
      'Downloads sent or unchanged, among these, failed and shed.',
    ),
    objective(
      'Packages are in time',
      'publish-delay',
      0.99,
      'PublishDelayBurn',
      'Share of the time in which the newest hour package is not more than 15 minutes overdue.',
    ),
    objective(
      'Results are in time',
      'result-delay',
      0.99,
      'ResultDelayBurn',
      'Probes that have a result within 60 s of its report.',
    ),
    timeseries({
      title: 'How fast the month is used up: one hour',
      description: '1 is as fast as the objective allows; 14.4 for an hour (and 5 minutes) wakes somebody.',
      unit: 'short',
      queries: [query('cwa:slo_error_ratio:1h / on (cwa_slo) cwa:slo_budget', '{{cwa_slo}}')],
      width: 12,
      warn: 1,
      bad: 14.4,
    }),
    timeseries({
      title: 'How fast the month is used up: six hours',
      description: '1 is as fast as the objective allows; 6 for six hours (and 30 minutes) wakes somebody.',
      unit: 'short',
      queries: [query('cwa:slo_error_ratio:6h / on (cwa_slo) cwa:slo_budget', '{{cwa_slo}}')],
      width: 12,
      warn: 1,
      bad: 6,
    }),
  ],
};

const way: Row = {
  title: 'From the laboratory to the other phone',
  panels: [
    timeseries({
      title: '1 Laboratories deliver',
      description: 'Results stored a second, by result; steps of 5.',
      unit: 'cps',
      queries: [rateBy('cwa_test_result_results_total', 'cwa_result')],
      stack: true,
      runbooks: ['ResultsStopped', 'LabSilent'],
    }),
    timeseries({
      title: '2 Phones register and ask',
      description: 'Requests a second by route, real and fake together; steps of 5.',
      unit: 'reqps',
      queries: [
        query(
          'sum by (http_route) (rate(cwa_gateway_requests_total{http_route=~"registration|result|tan|upload"}[$window]))',
          '{{http_route}}',
        ),
      ],
      stack: true,
      runbooks: ['PhoneTrafficFell'],
    }),
    timeseries({
      title: '3 TANs are spent',
      description: 'TANs a second: issued, used, expired; steps of 50.',
      unit: 'cps',
      queries: [rateBy('cwa_verification_tans_total', 'cwa_outcome')],
    }),
    timeseries({
      title: '4 Keys are stored',
      description: 'Diagnosis keys a second by outcome; steps of 1,500.',
      unit: 'cps',
      queries: [rateBy('cwa_submission_keys_total', 'cwa_outcome')],
      runbooks: ['UploadsUnavailable'],
    }),
    timeseries({
      title: '5 Packages are published',
      description: 'Age of the newest package in seconds, by window: a saw of an hour and of a day.',
      unit: 's',
      queries: [query('min by (cwa_window) (cwa_distribution_package_age)', '{{cwa_window}}')],
      runbooks: ['NewestPackageTooOld', 'DistributionRunMissing'],
    }),
    timeseries({
      title: '6 Phones download',
      description: 'Downloads a second from the origin by artifact; steps of 5.',
      unit: 'reqps',
      queries: [rateBy('cwa_gateway_downloads_total', 'cwa_artifact')],
      stack: true,
      runbooks: ['DownloadSuccessBurn'],
    }),
  ],
};

const probe: Row = {
  title: 'The synthetic journey',
  panels: [
    timeseries({
      title: 'Time since it went well',
      description: 'Seconds since the whole journey last reached its end.',
      unit: 's',
      queries: [query('min(cwa_probe_success_age)', 'ago')],
      width: 12,
      warn: 10_800,
      runbooks: ['ProbeFailing'],
    }),
    timeseries({
      title: 'Failed steps',
      description: 'Failed steps in the window, by step.',
      unit: 'short',
      queries: [
        query(
          'sum by (cwa_probe_step) (increase(cwa_probe_steps_total{cwa_outcome="failed"}[$window]))',
          '{{cwa_probe_step}}',
        ),
      ],
      width: 12,
      runbooks: ['ProbeStepFailing'],
    }),
  ],
};

export const journey: Dashboard = {
  name: 'journey',
  title: 'The whole journey',
  description: 'Objectives, and the way of a result from the laboratory to the warned phone.',
  rows: [objectives, way, probe],
};
