import { type Dashboard, rateBy, timeseries } from './builder.ts';
import { databaseRow, meshRow, processRows } from './process-rows.ts';

export const verification: Dashboard = {
  name: 'verification',
  title: 'Verification',
  description: 'Registrations in steps of 5; TANs and teleTANs, which echo them and the uploads, in steps of 50.',
  rows: [
    {
      title: 'Registrations and permits',
      panels: [
        timeseries({
          title: 'Registrations',
          description: 'Registrations a second by what was registered and outcome; steps of 5.',
          unit: 'cps',
          queries: [rateBy('cwa_verification_registrations_total', 'cwa_key_type', 'cwa_outcome')],
          runbooks: ['TeleTanGuessing', 'RegistrationsRefused'],
        }),
        timeseries({
          title: 'TANs',
          description: 'TANs a second: issued, used, expired; steps of 50.',
          unit: 'cps',
          queries: [rateBy('cwa_verification_tans_total', 'cwa_outcome')],
        }),
        timeseries({
          title: 'teleTANs',
          description: 'teleTANs a second: issued, used, expired; steps of 50.',
          unit: 'cps',
          queries: [rateBy('cwa_verification_tele_tans_total', 'cwa_outcome')],
          runbooks: ['TeleTanGuessing', 'GuessingAlarm'],
        }),
      ],
    },
    meshRow('verification'),
    databaseRow('verification'),
    ...processRows('verification'),
  ],
};
