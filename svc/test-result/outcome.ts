import { StoreResultStatus } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { DeliveredResult, Delivery } from './delivery.ts';
import { isFinal } from './result-code.ts';
import type { ResultRow } from './store.ts';

/** What a delivery does to the rows that are stored, item after item as if each came alone. */
export interface Judgement {
  readonly outcomes: StoreResultStatus[];
  /** Rows to insert and rows to overwrite, each in its last state. */
  readonly added: readonly ResultRow[];
  readonly changed: readonly ResultRow[];
  /** Deliveries that a final result made ineffective, and overwritten results: for the log. */
  readonly ignoredFinal: number;
  readonly corrections: number;
}

/** The rules of S 3.4 [D]; pure, so that they hold for a list as for single deliveries. */
export function judge(delivery: Delivery, stored: readonly ResultRow[], now: Date): Judgement {
  const known = new Map(stored.map((row) => [row.resultId, row]));
  const before = new Set(known.keys());
  const added = new Map<string, ResultRow>();
  const changed = new Map<string, ResultRow>();
  let ignoredFinal = 0;
  let corrections = 0;

  const deliver = (item: DeliveredResult): StoreResultStatus => {
    const old = known.get(item.resultId);
    if (old !== undefined && old.family !== delivery.family) return StoreResultStatus.STORE_RESULT_STATUS_OTHER_FAMILY;
    if (old !== undefined && isFinal(old.result)) {
      if (old.result !== item.result) ignoredFinal += 1;
      return StoreResultStatus.STORE_RESULT_STATUS_UNCHANGED;
    }
    if (old !== undefined && isSame(old, item, delivery.labId)) return StoreResultStatus.STORE_RESULT_STATUS_UNCHANGED;
    if (old !== undefined && old.result !== item.result) corrections += 1;
    const row: ResultRow = {
      resultId: item.resultId,
      family: delivery.family,
      result: item.result,
      resultDate: item.sampleCollectedAt ?? now,
      labId: delivery.labId,
      submitter: delivery.submitter,
    };
    known.set(row.resultId, row);
    (before.has(row.resultId) ? changed : added).set(row.resultId, row);
    return StoreResultStatus.STORE_RESULT_STATUS_STORED;
  };

  const outcomes = delivery.items.map((item) => (typeof item === 'number' ? item : deliver(item)));
  return { outcomes, added: [...added.values()], changed: [...changed.values()], ignoredFinal, corrections };
}

/** A list that came twice changes nothing; one that names no time is not made newer by that. */
function isSame(old: ResultRow, item: DeliveredResult, labId: string | null): boolean {
  const sameTime =
    item.sampleCollectedAt === undefined || item.sampleCollectedAt.getTime() === old.resultDate.getTime();
  return old.result === item.result && old.labId === labId && sameTime;
}
