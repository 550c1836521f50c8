import {
  KeyType,
  type RegisterTokenOutcome,
  type Registration,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { Call } from '../../lib/rpc/api.ts';
import type { Deps } from './deps.ts';

/** What became of TANs and teleTANs; nothing of it says whose. */
type Fate = 'issued' | 'used' | 'expired';
type Counted = Pick<Deps, 'metrics'>;

/** `call`: of the prober nothing is counted (decision 35). */
export function countTans({ metrics }: Counted, fate: Fate, count: number, call?: Pick<Call, 'synthetic'>): void {
  if (count > 0 && !call?.synthetic) metrics.count('cwa.verification.tans', { 'cwa.outcome': fate }, count);
}

export function countTeleTans({ metrics }: Counted, fate: Fate, count: number, call?: Pick<Call, 'synthetic'>): void {
  if (count > 0 && !call?.synthetic) metrics.count('cwa.verification.tele_tans', { 'cwa.outcome': fate }, count);
}

/** A registration that failed for our own fault has no outcome, and is not counted. */
export function countRegistrations(
  d: Counted,
  registrations: readonly Registration[],
  outcomes: readonly RegisterTokenOutcome[],
  call: Pick<Call, 'synthetic'>,
): void {
  if (call.synthetic) return;
  registrations.forEach(({ keyType }, i) => {
    const outcome = outcomes[i]?.outcome;
    if (outcome === undefined) return;
    const registered = outcome.$case === 'registrationToken';
    const isTeleTan = keyType === KeyType.KEY_TYPE_TELETAN;
    d.metrics.count('cwa.verification.registrations', {
      'cwa.key.type': isTeleTan ? 'tele-tan' : 'guid',
      'cwa.outcome': registered ? 'registered' : 'refused',
    });
    if (registered && isTeleTan) countTeleTans(d, 'used', 1);
  });
}
