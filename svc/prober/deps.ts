import type { TrustedKeys } from '../../lib/exposure/signature-list.ts';
import type { Random } from '../../lib/random/random.ts';
import type { Log } from '../../lib/telemetry/log.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { Http } from '../../phone/http.ts';

/** What a journey receives. */
export interface Deps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
  /** The phones' port; every request says that it is synthetic. */
  readonly phones: Http;
  /** The partners' port, with the prober's certificate; likewise. */
  readonly partners: Http;
  readonly trusted: TrustedKeys;
  readonly probeKeySecret: string;
  readonly country: string;
  readonly exportDeadlineMs: number;
  readonly exportPollMs: number;
  /** Aborted when the process stops: what is cut off then has not failed. */
  readonly stopping: AbortSignal;
}
