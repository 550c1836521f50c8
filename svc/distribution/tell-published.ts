import type { LogFields } from '../../lib/telemetry/log.ts';
import type { Deps } from './deps.ts';
import { dateOf, windowEndSeconds } from './object-window.ts';
import type { PublishedObject } from './store/inventory.ts';

/**
 * Tells that an object is out (requirement text 000 section 4.5, "CDN uploads"): a log event for each, and of key
 * packages how many they are and how long after their hour or day phones can have them.
 */
export function tellPublished(
  { clock, log, metrics }: Pick<Deps, 'clock' | 'log' | 'metrics'>,
  object: PublishedObject,
) {
  const { objectKey, kind, region, size } = object;
  const place = { ...(region === undefined ? {} : { region }), ...dateOf(object) };
  log.info('object-published', { file: objectKey, bytes: size, ...place });
  if (kind !== 'hour' && kind !== 'day') return;
  metrics.count('cwa.distribution.packages', { 'cwa.region': region ?? '', 'cwa.window': kind });
  const delay = clock.nowMs() / 1_000 - windowEndSeconds(object);
  metrics.record('cwa.distribution.publish.delay', { 'cwa.window': kind }, delay);
}

/** One event for each signature, with the version of its key (section 4.5, "Signing of the Diagnosis Keys"). */
export function tellSigned(
  { log, signers }: Pick<Deps, 'log' | 'signers'>,
  event: 'package-signed' | 'archive-signed',
  what: LogFields,
): void {
  for (const { info } of signers) log.info(event, { ...what, version: info.verificationKeyVersion ?? '' });
}
