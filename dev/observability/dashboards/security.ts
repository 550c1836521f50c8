import { bars, type Dashboard, query, stat, timeseries } from './builder.ts';

export const security: Dashboard = {
  name: 'security',
  title: 'Security',
  description:
    'Security events by kind, signs of guessing, and the feed to the collector, which has the events themselves.',
  rows: [
    {
      title: 'Events',
      panels: [
        timeseries({
          title: 'Events by kind',
          description: 'Security events in 10 minutes by kind, exact; the first of a kind counts as well.',
          unit: 'short',
          queries: [query('sum by (cwa_security_event) (cwa:security_events:increase10m)', '{{cwa_security_event}}')],
          width: 12,
          runbooks: [
            'CallerRefused',
            'PartnerRefused',
            'RoleViolation',
            'CertificateRefused',
            'SignInRefused',
            'ConfigurationChanged',
          ],
        }),
        bars({
          title: 'Events since the start of each process',
          description: 'By process and kind, exact.',
          unit: 'short',
          queries: [
            query('sum by (job, cwa_security_event) (cwa_security_events_total)', '{{job}} {{cwa_security_event}}'),
          ],
          width: 12,
        }),
      ],
    },
    {
      title: 'Guessing',
      panels: [
        timeseries({
          title: 'teleTANs tried',
          description:
            'Registrations by teleTAN in the window by outcome; steps of 5. More wrong than right: somebody guesses.',
          unit: 'short',
          queries: [
            query(
              'sum by (cwa_outcome) (increase(cwa_verification_registrations_total{cwa_key_type="tele-tan"}[$window]))',
              '{{cwa_outcome}}',
            ),
          ],
          runbooks: ['TeleTanGuessing', 'GuessingAlarm'],
        }),
        timeseries({
          title: 'Uploads with a wrong TAN',
          description: 'Uploads in the window, all and with a wrong TAN; steps of 5.',
          unit: 'short',
          queries: [
            query(
              'sum by (type) (increase(submission_controller_requests_total{type=~"all|invalidTan"}[$window]))',
              '{{type}}',
            ),
          ],
          runbooks: ['UploadTanGuessing'],
        }),
        timeseries({
          title: 'Share of fakes',
          description: 'Among the phone requests of the last full hour; steps of 10 %; absent below 1,000 requests.',
          unit: 'percentunit',
          queries: [query('avg(cwa_gateway_fake_share)', 'fakes')],
          max: 1,
          runbooks: ['FakeShareOutlier'],
        }),
        timeseries({
          title: 'Partners refused or failing',
          description: 'Requests of partners in the window that were refused or failed, by partner; exact.',
          unit: 'short',
          queries: [
            query(
              'sum by (cwa_partner, cwa_outcome) (increase(cwa_lab_requests_total{cwa_outcome!="answered"}[$window]))',
              '{{cwa_partner}} {{cwa_outcome}}',
            ),
          ],
          runbooks: ['PartnerRefused', 'LabRefused'],
        }),
        timeseries({
          title: 'Operators refused or limited',
          description: 'Requests to the ops API in the window that were not answered, by team; exact.',
          unit: 'short',
          queries: [
            query(
              'sum by (cwa_team, cwa_outcome) (increase(cwa_ops_requests_total{cwa_outcome=~"refused|limited"}[$window]))',
              '{{cwa_team}} {{cwa_outcome}}',
            ),
          ],
          runbooks: ['SignInRefused', 'RoleViolation'],
        }),
      ],
    },
    {
      title: 'Feed and certificates',
      panels: [
        stat({
          title: 'Events lost',
          description: 'Security events given up in the window because the buffer on disk was full.',
          unit: 'short',
          queries: [query('sum(increase(cwa_security_feed_dropped_total[$window]))', 'lost')],
          bad: 1,
          runbooks: ['SecurityFeedDropped'],
        }),
        timeseries({
          title: 'Waiting for the collector',
          description: 'Bytes of events on disk, by process.',
          unit: 'bytes',
          queries: [query('sum by (job) (cwa_security_feed_backlog)', '{{job}}')],
          runbooks: ['SecurityFeedBacklog'],
        }),
        bars({
          title: 'Certificates end in',
          description: 'Time until each certificate ends, of the instance where it ends first.',
          unit: 'dtdurations',
          queries: [query('min by (job, cwa_certificate) (cwa_certificate_remaining)', '{{job}} {{cwa_certificate}}')],
          width: 12,
          warn: 14 * 86_400,
          bad: 3 * 86_400,
          low: true,
          runbooks: ['CertificateEnding'],
        }),
      ],
    },
  ],
};
