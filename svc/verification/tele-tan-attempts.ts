import { errorFields } from '../../lib/telemetry/log.ts';
import type { Deps } from './deps.ts';
import { countAttempts } from './store/tele-tan.ts';

const minuteMs = 60_000;
const shards = 16;

/**
 * Counts well-formed teleTANs that phones tried, for the alarm on guessing (decision 16; no limit uses an address).
 * Never fails: the registrations it counts have happened.
 */
export async function countTeleTanAttempts(d: Deps, successes: readonly boolean[]): Promise<void> {
  if (successes.length === 0) return;
  const succeeded = successes.filter(Boolean).length;
  const minute = new Date(Math.floor(d.clock.nowMs() / minuteMs) * minuteMs);
  try {
    await countAttempts(d.pool, minute, d.random.int(shards), { succeeded, failed: successes.length - succeeded });
  } catch (error) {
    d.log.warn('tele-tan-attempts-not-counted', errorFields(error));
  }
}
