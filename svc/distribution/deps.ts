import type { ProbeKeyServiceService } from '../../gen/mesh/cwa/submission/v1/probe_key.ts';
import type { DiagnosisKeyServiceService } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import type { BlobStore } from '../../lib/blob/blob.ts';
import type { Pool } from '../../lib/db/pool.ts';
import type { Random } from '../../lib/random/random.ts';
import type { Client } from '../../lib/rpc/api.ts';
import type { Log } from '../../lib/telemetry/log.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';
import type { SecurityFeed } from '../../lib/telemetry/security.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { ConfigurationSource } from './app-config/source.ts';
import type { PublishingRules } from './rules.ts';
import type { Signer } from './signer.ts';

export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly security: SecurityFeed;
  readonly pool: Pool;
  readonly blob: BlobStore;
  readonly submission: Client<DiagnosisKeyServiceService>;
  readonly probes: Client<ProbeKeyServiceService>;
  /** Active keys, newest first. */
  readonly signers: readonly Signer[];
  readonly rules: PublishingRules;
  readonly configuration: ConfigurationSource;
  /** Store requests that may fail in one run; one more ends it (D 2.8). */
  readonly maximumFailures: number;
}
