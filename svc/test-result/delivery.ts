import {
  type LabResult,
  type StoreResultsRequest,
  StoreResultStatus,
} from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { invalidArgument } from '../../lib/rpc/errors.ts';
import { type Receipt, receiptId } from './receipt.ts';
import { type Family, isDeliverable, isFamily } from './result-code.ts';
import { parseId, storedId } from './result-id.ts';

const maxResults = 10_000;
const dayMs = 86_400_000;
const labIdPattern = /^[\x20-\x7e]{1,64}$/;

/** One delivered result that cannot be wrong. */
export interface DeliveredResult {
  readonly resultId: string;
  readonly result: number;
  /** Undefined when the lab named no time: the time of delivery then. */
  readonly sampleCollectedAt: Date | undefined;
}

export interface Delivery {
  readonly family: Family;
  readonly submitter: Buffer;
  readonly labId: string | null;
  /** In the order of the list: the result, or why it is refused. */
  readonly items: readonly (DeliveredResult | StoreResultStatus)[];
}

/** S 3.2. Throws INVALID_ARGUMENT for what no item can be blamed for. */
export function parseDelivery(request: StoreResultsRequest, now: Date): Delivery {
  const { family, submitter, labId, results } = request;
  if (!isFamily(family)) throw invalidArgument('FAMILY');
  if (submitter.length !== 32) throw invalidArgument('SUBMITTER');
  if (results.length === 0) throw invalidArgument('NO_RESULTS');
  if (results.length > maxResults) throw invalidArgument('TOO_MANY_RESULTS');
  const badLab = request.labIdRefused === true || (labId !== undefined && !labIdPattern.test(labId));
  return {
    family,
    submitter,
    labId: labId ?? null,
    items: results.map((item) =>
      badLab ? StoreResultStatus.STORE_RESULT_STATUS_INVALID_LAB_ID : parseItem(item, family, now),
    ),
  };
}

/** What the partner may ask later about each item (decision 22); an empty id names nothing to ask for. */
export function receiptsOf(request: StoreResultsRequest, outcomes: readonly StoreResultStatus[]): Receipt[] {
  const { family, submitter, results } = request;
  if (!isFamily(family)) return [];
  return results.flatMap(({ id }, i) => {
    const status = outcomes[i];
    return id === '' || status === undefined ? [] : [{ receiptId: receiptId(submitter, family, id), status }];
  });
}

function parseItem(item: LabResult, family: Family, now: Date): DeliveredResult | StoreResultStatus {
  const id = parseId(item.id);
  if (id === undefined) return StoreResultStatus.STORE_RESULT_STATUS_INVALID_ID;
  if (!isDeliverable(family, item.result)) return StoreResultStatus.STORE_RESULT_STATUS_INVALID_RESULT;
  const sampleCollectedAt =
    item.sampleCollectedAt === undefined ? undefined : new Date(Number(item.sampleCollectedAt) * 1_000);
  if (sampleCollectedAt !== undefined && !isNear(sampleCollectedAt, now)) {
    return StoreResultStatus.STORE_RESULT_STATUS_INVALID_SAMPLE_TIME;
  }
  return { resultId: storedId(family, id), result: item.result, sampleCollectedAt };
}

/** Android reads the time as 32-bit seconds: one in milliseconds would break that test on the phone (S 3.2 [D]). */
function isNear(time: Date, now: Date): boolean {
  const ageMs = now.getTime() - time.getTime();
  return ageMs <= 90 * dayMs && ageMs >= -dayMs;
}
