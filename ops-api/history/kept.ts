import type { MetricName } from '../../lib/telemetry/catalog/catalog.ts';

/** A metric that is remembered over time. */
export interface Kept {
  readonly metric: MetricName;
  /** Attributes that are kept apart; what they are not named for is summed. Default: all of the metric's. */
  readonly by?: readonly string[];
  /** Rows with these attributes are left out. */
  readonly without?: Readonly<Record<string, string>>;
  /** Of a histogram: keep how many values there were up to each bound, under the attribute `le`, its index; else only how many values there were. */
  readonly buckets?: boolean;
  /** Read from a table that all replicas share: they tell the same number, and it does not begin anew with a process. */
  readonly shared?: boolean;
}

/** What counts as a request: the rows of a metric, all of them or those with these attributes. */
export interface Load extends Kept {
  readonly where?: Readonly<Record<string, string>>;
}

/** Of every process: for capacity and security. */
export const keptOfEvery: readonly Kept[] = [
  { metric: 'process.cpu.time', by: [] },
  // Without the calls that are ours.
  { metric: 'rpc.server.call.duration', by: [], without: { 'rpc.service': 'cwa.metrics.v1.MetricsService' } },
  { metric: 'cwa.cap.utilization' },
  { metric: 'cwa.security.events' },
];
