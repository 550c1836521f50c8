import { type LabResult, StoreResultStatus } from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Log } from '../lib/telemetry/log.ts';
import type { Metrics } from '../lib/telemetry/metrics.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { Partner } from './partners.ts';

const reasons = new Map<StoreResultStatus, string>([
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_ID, 'invalid-id'],
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_RESULT, 'invalid-result'],
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_SAMPLE_TIME, 'invalid-sample-time'],
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_LAB_ID, 'invalid-lab-id'],
  [StoreResultStatus.STORE_RESULT_STATUS_OTHER_FAMILY, 'other-family'],
  [StoreResultStatus.STORE_RESULT_STATUS_LIST_REFUSED, 'list-refused'],
]);

export interface DeliveryWitness {
  readonly metrics: Metrics;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
}

/**
 * Counts what became of a partner's delivery and tells of it as one event. All of it is what the partner learns itself;
 * nothing says whether a phone has fetched a result (decision 22).
 */
export function witnessDelivery(
  { metrics, clock, log }: DeliveryWitness,
  { name: partner }: Pick<Partner, 'name'>,
  results: readonly LabResult[],
  outcomes: readonly StoreResultStatus[],
): void {
  const counts = { stored: 0, unchanged: 0, refused: 0 };
  outcomes.forEach((status, i) => {
    const outcome = outcomeOf(status);
    counts[outcome]++;
    if (outcome === 'refused') {
      const reason = reasons.get(status) ?? 'unknown';
      metrics.count('cwa.lab.refusals', { 'cwa.partner': partner, 'cwa.reason': reason });
    }
    const collectedAt = results[i]?.sampleCollectedAt;
    if (outcome !== 'stored' || collectedAt === undefined) return;
    const delay = Math.max(0, clock.nowMs() / 1_000 - Number(collectedAt));
    metrics.record('cwa.lab.result.delay', { 'cwa.partner': partner }, delay);
  });
  for (const outcome of ['stored', 'unchanged', 'refused'] as const) {
    metrics.count('cwa.lab.results', { 'cwa.partner': partner, 'cwa.outcome': outcome }, counts[outcome]);
  }
  log.info('lab-results-delivered', { partner, count: outcomes.length, ...counts });
}

function outcomeOf(status: StoreResultStatus): 'stored' | 'unchanged' | 'refused' {
  if (status === StoreResultStatus.STORE_RESULT_STATUS_STORED) return 'stored';
  return status === StoreResultStatus.STORE_RESULT_STATUS_UNCHANGED ? 'unchanged' : 'refused';
}
