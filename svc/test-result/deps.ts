import type { Pool } from '../../lib/db/pool.ts';
import type { Log } from '../../lib/telemetry/log.ts';
import type { Clock } from '../../lib/time/clock.ts';

export interface Deps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly log: Log;
}
