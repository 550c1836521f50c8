import type { TestResultServiceService } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Pool } from '../../lib/db/pool.ts';
import type { Secret } from '../../lib/process/secret.ts';
import type { Random } from '../../lib/random/random.ts';
import type { Client } from '../../lib/rpc/api.ts';
import type { Log } from '../../lib/telemetry/log.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';
import type { SecurityFeed } from '../../lib/telemetry/security.ts';
import type { Clock } from '../../lib/time/clock.ts';

export interface Rules {
  /** Redeemed TANs a session may have; reserved ones count (S 2.4 [D]). */
  readonly maxRedeemedTans: number;
  /** Answers the result of the GUID even when the one under the hash with date of birth differs (S 2.3). */
  readonly dobCheckDisabled: boolean;
  /** teleTANs that may be issued in any 60 minutes, by all processes together (S 2.6). */
  readonly teleTansPerHour: number;
  /** Registrations in ten minutes, by all processes together, that raise an alarm. */
  readonly registrationAlarmCount: number;
  readonly teleTanPepper: Secret;
}

export interface Deps {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly random: Random;
  /** Of handlers one that gathers what it tells: they serve phones (decision 34). */
  readonly log: Log;
  readonly metrics: Metrics;
  readonly security: SecurityFeed;
  readonly rules: Rules;
  readonly testResult: Pick<Client<typeof TestResultServiceService>, 'getResults'>;
}
