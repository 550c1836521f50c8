import { type Dashboard, query, rateBy, stat, timeseries } from './builder.ts';
import { databaseRow, meshRow, processRows } from './process-rows.ts';

export const submission: Dashboard = {
  name: 'submission',
  title: 'Submission',
  description: 'Uploads of diagnosis keys. Fakes never get here, so everything is coarse.',
  rows: [
    {
      title: 'Uploads',
      panels: [
        stat({
          title: 'Uploads stored',
          description: 'Uploads whose keys were stored; steps of 5.',
          unit: 'short',
          queries: [query('sum(increase(cwa_submission_uploads_total{cwa_outcome="stored"}[$window]))', 'uploads')],
        }),
        stat({
          title: 'Told to come again',
          description: 'Uploads that could not be stored because something was unavailable; steps of 5.',
          unit: 'short',
          queries: [
            query('sum(increase(cwa_submission_uploads_total{cwa_outcome="unavailable"}[$window]))', 'unavailable'),
          ],
          warn: 5,
          bad: 10,
          runbooks: ['UploadsUnavailable'],
        }),
        timeseries({
          title: 'By outcome',
          description: 'Uploads a second by how they ended; steps of 5.',
          unit: 'cps',
          queries: [rateBy('cwa_submission_uploads_total', 'cwa_outcome')],
          runbooks: ['UploadsInvalid', 'UploadTanGuessing', 'UploadsUnavailable'],
        }),
        timeseries({
          title: 'Keys by outcome',
          description:
            'Diagnosis keys a second of accepted uploads: stored, known before, dropped by a rule; steps of 1,500.',
          unit: 'cps',
          queries: [rateBy('cwa_submission_keys_total', 'cwa_outcome')],
        }),
      ],
    },
    meshRow('submission'),
    databaseRow('submission'),
    ...processRows('submission'),
  ],
};
