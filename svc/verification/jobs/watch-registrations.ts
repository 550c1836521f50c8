import type { Deps } from '../deps.ts';
import { before } from '../lifetimes.ts';
import { hasSessions } from '../store/session.ts';
import { readAttempts } from '../store/tele-tan.ts';

const windowMs = 10 * 60_000;
const leastFailures = 30;

/**
 * Raises two alarms on what happened in the last ten minutes (S 7.1, decision 16; no limit uses an address):
 * - guessing: of the teleTANs tried more than half, and not just a few, were wrong. Phones check a teleTAN's form
 *   before they send it, so honest failures are few.
 * - flooding: anybody may register random hashes, so far more sessions than there can be tests.
 */
export async function watchRegistrations(
  d: Pick<Deps, 'pool' | 'clock' | 'log' | 'security' | 'rules'>,
): Promise<void> {
  const since = before(d.clock.now(), windowMs);
  const { succeeded, failed } = await readAttempts(d.pool, since);
  if (failed >= leastFailures && failed > succeeded) {
    d.log.error('tele-tan-failure-ratio-high');
    d.security.report({ type: 'guessing-alarm', target: 'tele-tan' });
  }
  const { registrationAlarmCount } = d.rules;
  if (await hasSessions(d.pool, registrationAlarmCount, since)) {
    d.log.error('registration-rate-high', { count: registrationAlarmCount });
    d.security.report({ type: 'guessing-alarm', target: 'registration' });
  }
}
