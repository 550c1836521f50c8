import type { Metrics } from '../lib/telemetry/metrics.ts';
import type { Artifact } from './artifact.ts';
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
  /** One download by what was asked for and what came of it. */
  download(artifact: Artifact, status: number): void;
}

export const intakeMetrics = (metrics: Metrics): IntakeMetrics => ({
  count(group, outcome, ms) {
    metrics.count('cwa.gateway.requests', { 'http.route': group, 'cwa.outcome': outcome });
    metrics.record('http.server.request.duration', { 'http.route': group }, ms / 1_000);
  },
  download(artifact, status) {
    metrics.count('cwa.gateway.downloads', { 'cwa.artifact': artifact, 'cwa.outcome': downloadOutcomeOf(status) });
  },
});

export function outcomeOf(status: number): Exclude<CountedOutcome, 'shed'> {
  if (status < 400) return 'answered';
  return status < 500 ? 'refused' : 'failed';
}

function downloadOutcomeOf(status: number): 'sent' | 'unchanged' | 'missing' | 'failed' {
  if (status === 200) return 'sent';
  if (status === 304) return 'unchanged';
  return status < 500 ? 'missing' : 'failed';
}
