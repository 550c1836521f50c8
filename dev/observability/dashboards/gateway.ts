import { type Dashboard, quantile, query, rateBy, stat, timeseries } from './builder.ts';
import { processRows } from './process-rows.ts';

const phones = 'http_route=~"upload|registration|result|tan"';
const steps = 'Real and fake together, in steps of 5 for each route and outcome.';

export const gateway: Dashboard = {
  name: 'gateway',
  title: 'Gateway',
  description: 'The edge: phones, downloads, laboratories. Nothing here dates a person.',
  rows: [
    {
      title: 'At a glance',
      panels: [
        stat({
          title: 'Requests of phones',
          description: `Requests a second on the answer schedule. ${steps}`,
          unit: 'reqps',
          queries: [query(`sum(rate(cwa_gateway_requests_total{${phones}}[$window]))`, 'requests')],
          runbooks: ['PhoneTrafficFell'],
        }),
        stat({
          title: 'Answered',
          description:
            'Share of requests of phones that were answered, among answered, failed and shed. Objective: 99.9 %.',
          unit: 'percentunit',
          queries: [query('1 - cwa:slo_error_ratio:1h{cwa_slo="phone-availability"}', 'last hour')],
          warn: 0.999,
          bad: 0.99,
          low: true,
          max: 1,
          runbooks: ['PhoneAvailabilityBurn'],
        }),
        stat({
          title: 'Late answers',
          description:
            'Share of the last accepted answers that missed their slot; steps of 0.5 %. Alarm from 1 % (decision 13).',
          unit: 'percentunit',
          queries: [query('max(cwa_gateway_answer_late)', 'late')],
          warn: 0.005,
          bad: 0.01,
          runbooks: ['AnswersLate'],
        }),
        stat({
          title: 'Share of fakes',
          description: 'Among the phone requests of the last full hour; steps of 10 %; absent below 1,000 requests.',
          unit: 'percentunit',
          queries: [query('avg(cwa_gateway_fake_share)', 'fakes')],
          max: 1,
          runbooks: ['FakeShareOutlier'],
        }),
        stat({
          title: 'Shed',
          description: `Requests answered 503 because a limit was reached, in the window; steps of 5.`,
          unit: 'short',
          queries: [query('sum(increase(cwa_gateway_requests_total{cwa_outcome="shed"}[$window]))', 'shed')],
          warn: 5,
          bad: 50,
          runbooks: ['RequestsShed'],
        }),
        stat({
          title: 'Results of labs',
          description: 'Results delivered by all partners in the window; steps of 5.',
          unit: 'short',
          queries: [query('sum(increase(cwa_lab_results_total[$window]))', 'results')],
          runbooks: ['LabSilent', 'ResultsStopped'],
        }),
      ],
    },
    {
      title: 'Requests',
      panels: [
        timeseries({
          title: 'By route',
          description: `Requests a second by route. ${steps}`,
          unit: 'reqps',
          queries: [rateBy('cwa_gateway_requests_total', 'http_route')],
          stack: true,
        }),
        timeseries({
          title: 'By outcome',
          description: `Requests a second by what became of them; a fake is an answered one. ${steps}`,
          unit: 'reqps',
          queries: [rateBy('cwa_gateway_requests_total', 'cwa_outcome')],
          runbooks: ['PhoneAvailabilityBurn', 'RequestsShed'],
        }),
        timeseries({
          title: 'Arrival to answer, p99',
          description: 'Seconds; answers to phones leave in slots of the schedule, so its steps are what is seen.',
          unit: 's',
          queries: [query(quantile(0.99, 'http_server_request_duration', '', ['http_route']), '{{http_route}}')],
          runbooks: ['AnswersLate'],
        }),
      ],
    },
    {
      title: 'Downloads from the origin (a CDN answers most before)',
      panels: [
        timeseries({
          title: 'By artifact',
          description: 'Downloads a second by what was asked for; steps of 5.',
          unit: 'reqps',
          queries: [rateBy('cwa_gateway_downloads_total', 'cwa_artifact')],
          stack: true,
        }),
        timeseries({
          title: 'By outcome',
          description: 'Downloads a second: sent, unchanged since the phone asked, missing, failed; steps of 5.',
          unit: 'reqps',
          queries: [rateBy('cwa_gateway_downloads_total', 'cwa_outcome')],
          runbooks: ['DownloadSuccessBurn', 'ListedPackagesMissing'],
        }),
        timeseries({
          title: 'Failed or shed',
          description: 'Share of downloads that failed or were shed. Objective over 30 days: 0.1 %.',
          unit: 'percentunit',
          queries: [
            query('cwa:slo_error_ratio:5m{cwa_slo="download-success"}', '5 minutes'),
            query('cwa:slo_error_ratio:1h{cwa_slo="download-success"}', 'hour'),
          ],
          warn: 0.001,
          runbooks: ['DownloadSuccessBurn'],
        }),
      ],
    },
    {
      title: 'Laboratories',
      panels: [
        timeseries({
          title: 'Deliveries and look-ups',
          description: 'Requests a second by partner and outcome, exact.',
          unit: 'reqps',
          queries: [rateBy('cwa_lab_requests_total', 'cwa_partner', 'cwa_outcome')],
          runbooks: ['LabSilent', 'LabRequestsFailing'],
        }),
        timeseries({
          title: 'Results by outcome',
          description: 'Results a second by partner and what became of them; steps of 5.',
          unit: 'cps',
          queries: [rateBy('cwa_lab_results_total', 'cwa_partner', 'cwa_outcome')],
          runbooks: ['LabRefused'],
        }),
        timeseries({
          title: 'Refusals by reason',
          description: 'Refused results a second by partner and the reason that its receipts give; steps of 5.',
          unit: 'cps',
          queries: [rateBy('cwa_lab_refusals_total', 'cwa_partner', 'cwa_reason')],
          runbooks: ['LabRefused'],
        }),
        timeseries({
          title: 'Sample to delivery, median and p90',
          description:
            'Seconds from the collection of the sample to the delivery, where the partner says it; steps of 5.',
          unit: 's',
          queries: [
            query(quantile(0.5, 'cwa_lab_result_delay', '', ['cwa_partner']), 'median {{cwa_partner}}'),
            query(quantile(0.9, 'cwa_lab_result_delay', '', ['cwa_partner']), 'p90 {{cwa_partner}}'),
          ],
        }),
      ],
    },
    ...processRows('gateway'),
  ],
};
