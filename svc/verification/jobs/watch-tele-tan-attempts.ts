import type { Deps } from '../deps.ts';
import { before } from '../lifetimes.ts';
import { readAttempts } from '../store/tele-tan.ts';

const windowMs = 10 * 60_000;
const leastFailures = 30;

/**
 * Raises the alarm on guessing: of the teleTANs tried in ten minutes more than half, and not just a few, were wrong
 * (S 7.1, decision 16). Phones check a teleTAN's form before sending it, so honest failures are few.
 */
export async function watchTeleTanAttempts(d: Pick<Deps, 'pool' | 'clock' | 'log'>): Promise<void> {
  const { succeeded, failed } = await readAttempts(d.pool, before(d.clock.now(), windowMs));
  if (failed >= leastFailures && failed > succeeded) d.log.error('tele-tan-failure-ratio-high', { count: failed });
}
