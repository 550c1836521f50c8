import { usedShare } from '../../lib/telemetry/cap.ts';
import type { Deps } from './deps.ts';
import { before, lifetimes } from './lifetimes.ts';
import { readTeleTanCount } from './store/tele-tan.ts';

/** Share of the teleTANs that may be issued in an hour, by all processes together; too coarse to show a single one. */
export function watchTeleTanLimit({ pool, clock, rules, metrics }: Pick<Deps, 'pool' | 'clock' | 'rules' | 'metrics'>) {
  metrics.observe('cwa.cap.utilization', async () => {
    const issued = await readTeleTanCount(pool, before(clock.now(), lifetimes.teleTanLimit));
    return [{ attributes: { 'cwa.cap': 'tele-tans' }, value: usedShare(issued, rules.teleTansPerHour) }];
  });
}
