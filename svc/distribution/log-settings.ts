import type { Log } from '../../lib/telemetry/log.ts';
import type { Config } from './config.ts';

/** Tells what is in force: a wrong value once stayed unnoticed for weeks (D fault 8). */
export function logSettings(log: Log, { rules, signers, usesPlaceholder }: Config): void {
  const { originCountry, supportedCountries, ...numbers } = rules;
  log.info('setting', { setting: 'originCountry', status: originCountry });
  log.info('setting', { setting: 'supportedCountries', status: supportedCountries.join(',') });
  for (const [setting, status] of Object.entries(numbers)) log.info('setting', { setting, status });
  for (const signer of signers) log.info('setting', { setting: 'signer', status: signer.name });
  if (usesPlaceholder)
    log.warn('setting-placeholder', {
      setting: 'DISTRIBUTION_REISSUE_KEY_DIGEST',
      reason: 'must be set in production',
    });
}
