import type { DeliveryReceipt, LabResultServiceService } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { invalidArgument } from '../../lib/rpc/errors.ts';
import type { Deps } from './deps.ts';
import { firstReceiptDay, receiptId } from './receipt.ts';
import { readReceipts } from './receipt-store.ts';
import { isFamily } from './result-code.ts';

type GetReceipts = Handlers<typeof LabResultServiceService>['getReceipts'];

const maxIds = 10_000;
/** Of one id; a partner that repeats itself for two weeks does not make the answer long. */
const maxReceipts = 10;

/** What the server did with the submitter's own deliveries, and nothing about phones (decision 22). */
export const getReceipts =
  (d: Deps): GetReceipts =>
  async ({ submitter, family, ids }) => {
    if (!isFamily(family)) throw invalidArgument('FAMILY');
    if (submitter.length !== 32) throw invalidArgument('SUBMITTER');
    if (ids.length > maxIds) throw invalidArgument('TOO_MANY_IDS');
    const receiptIds = ids.map((id) => receiptId(submitter, family, id));
    const firstHour = firstReceiptDay(d.clock.now()) * 24;
    const found = new Map<string, DeliveryReceipt[]>();
    for (const row of await readReceipts(d.pool, [...new Set(receiptIds)], firstHour, maxReceipts)) {
      const receipt = { status: row.status, deliveryHour: row.deliveryHour };
      const known = found.get(row.receiptId);
      if (known === undefined) found.set(row.receiptId, [receipt]);
      else known.push(receipt);
    }
    return { histories: receiptIds.map((id) => ({ receipts: found.get(id) ?? [] })) };
  };
