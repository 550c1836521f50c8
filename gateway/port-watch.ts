import { watchCap } from '../lib/telemetry/cap.ts';
import { type Metrics, silentMetrics } from '../lib/telemetry/metrics.ts';
import { type SecurityFeed, silentSecurityFeed } from '../lib/telemetry/security.ts';
import type { Clock } from '../lib/time/clock.ts';
import { edgeAlarms } from './alarms.ts';
import { type Config, heldBytes, ratesOf } from './config.ts';
import { intakeMetrics } from './intake-metrics.ts';
import { rateLimits, type Rates } from './rate-limits.ts';

export interface PortWatchOptions {
  readonly settings: Config['settings'];
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Default: some that nobody reads. */
  readonly metrics?: Metrics;
  readonly security?: SecurityFeed;
}

/** Largest body of a phone: what one of them adds to the octets held. */
const bodyBytes = 102_400;

/**
 * What watches a port: its limits and how much of them is used, its counters, its alarms. Each port has limits of its
 * own; the groups of one never come to the other.
 */
export function portWatch(port: 'phone' | 'partner', options: PortWatchOptions) {
  const { settings, clock, metrics = silentMetrics, security = silentSecurityFeed } = options;
  const groups = port === 'partner' ? ['partner'] : ['phones', 'upload', 'registration', 'result', 'tan', 'download'];
  const here = (group: keyof Rates): Metrics => (groups.includes(group) ? metrics : silentMetrics);
  return {
    metrics,
    intake: intakeMetrics(metrics),
    alarms: edgeAlarms(security, clock),
    limits: rateLimits(clock, ratesOf(settings), (group, limit) => watchCap(here(group), `rate-${group}`, limit)),
    connections: watchCap(metrics, `${port}-connections`, settings.GATEWAY_MAX_CONNECTIONS),
  };
}

/** Limits on what phones have in hand. Of octets five whole bodies make a step. */
export function phoneCaps({ settings, metrics = silentMetrics }: PortWatchOptions) {
  const maxBytes = heldBytes(settings);
  return {
    requests: watchCap(metrics, 'phone-requests', settings.GATEWAY_MAX_PHONE_REQUESTS),
    heldBytes: watchCap(metrics, 'phone-bytes', maxBytes, Math.max(maxBytes / 20, 5 * bodyBytes)),
  };
}

/** Partners are no persons: their requests in hand are shown as they are. */
export const partnerCap = ({ settings, metrics = silentMetrics }: PortWatchOptions) =>
  watchCap(metrics, 'partner-requests', settings.GATEWAY_MAX_PARTNER_REQUESTS, 1);
