import type { Metrics } from '../lib/telemetry/metrics.ts';
import type { RouteGroup } from './route-group.ts';

/** Coarse on purpose: why a request was refused would be the story of one phone. */
export type CountedOutcome = 'answered' | 'refused' | 'failed' | 'shed';

/**
 * What may be known of the gateway's work (decision 34, S 1.12). Real and fake requests are counted as one: a fake is
 * an answered request. Times are from a request's arrival to the moment its answer leaves, which the schedule makes the
 * same for real and fake; how long handling took, which only real requests do, is not measured here.
 */
export interface IntakeMetrics {
  /** One answer that left; `ms` from the arrival of its request. */
  count(group: RouteGroup, outcome: CountedOutcome, ms: number): void;
}

export const intakeMetrics = (metrics: Metrics): IntakeMetrics => ({
  count(group, outcome, ms) {
    metrics.count('cwa.gateway.requests', { 'http.route': group, 'cwa.outcome': outcome });
    metrics.record('http.server.request.duration', { 'http.route': group }, ms / 1_000);
  },
});

export function outcomeOf(status: number): CountedOutcome {
  if (status < 400) return 'answered';
  return status < 500 ? 'refused' : 'failed';
}
