import type { SecurityFeed } from '../lib/telemetry/security.ts';
import { atMostEvery } from '../lib/time/at-most-every.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { RouteGroup } from './route-group.ts';

/** What the edge tells the security operations centre. */
export interface EdgeAlarms {
  /** A request, or a connection, above a limit. */
  overload(route: RouteGroup | 'connection'): void;
  /** `partner`: its name in the partners' file. */
  partnerRefused(reason: 'unlisted' | 'route' | 'lab-id', partner?: string): void;
}

/** Each kind at most once a minute: whoever floods the edge must not flood the feed. */
export function edgeAlarms(security: SecurityFeed, clock: Pick<Clock, 'monotonicMs'>): EdgeAlarms {
  const due = atMostEvery(clock, 60_000);
  return {
    overload: (route) => {
      if (due(`overload ${route}`)) security.report({ type: 'overload', route });
    },
    partnerRefused: (reason, partner) => {
      if (!due(`${reason} ${partner ?? ''}`)) return;
      security.report({ type: 'partner-refused', reason, ...(partner === undefined ? {} : { partner }) });
    },
  };
}
