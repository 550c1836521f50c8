import type { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { Pool } from '../../lib/db/pool.ts';
import type { Random } from '../../lib/random/random.ts';
import type { Client } from '../../lib/rpc/api.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { IntakeConfig } from './config.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';
import type { CountrySets } from './country-sets.ts';
import type { KeyDays } from './key-days.ts';
import type { SupportedCountries } from './supported-countries.ts';

/** What handlers and jobs of this service receive. */
export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly pool: Pool;
  readonly verification: Client<TanServiceService>;
  readonly config: IntakeConfig;
  readonly countries: SupportedCountries;
  readonly countrySets: CountrySets;
  readonly keyDays: KeyDays;
  /** Whether the prober made this key (decision 35). */
  readonly isProbeKey: (keyData: Uint8Array) => boolean;
  readonly metrics: Metrics;
  /** Tells of a failure behind the intake; `event` is a constant of the code. */
  readonly report: (event: string, error: unknown) => void;
}
