import { StoreResultStatus, TestFamily } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { AttributesOf } from '../../lib/telemetry/catalog/catalog.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';
import type { Delivery } from './delivery.ts';
import { type Family, meaningOf } from './result-code.ts';

const families: Readonly<Record<Family, AttributesOf<'cwa.test_result.results'>['cwa.test.family']>> = {
  [TestFamily.TEST_FAMILY_PCR]: 'pcr',
  [TestFamily.TEST_FAMILY_QUICK_TEST]: 'quick-test',
  [TestFamily.TEST_FAMILY_POC_NAT]: 'poc-nat',
};

/** Counts the results that a delivery stored, over all partners; unchanged and refused ones are not among them. */
export function countStored(metrics: Metrics, delivery: Delivery, outcomes: readonly StoreResultStatus[]): void {
  delivery.items.forEach((item, i) => {
    if (typeof item === 'number' || outcomes[i] !== StoreResultStatus.STORE_RESULT_STATUS_STORED) return;
    metrics.count('cwa.test_result.results', {
      'cwa.test.family': families[delivery.family],
      'cwa.result': meaningOf(item.result),
    });
  });
}
