import { expireInPortions } from '../../../lib/db/expire.ts';
import type { Deps } from '../deps.ts';
import { dayOf, firstReceiptDay } from '../receipt.ts';
import { createReceiptDay, dropReceiptDays } from '../receipt-store.ts';

/** Drops the days of receipts that are past their term and makes tomorrow's, so that midnight finds it there. */
export async function expireReceipts(d: Deps): Promise<void> {
  const now = d.clock.now();
  await createReceiptDay(d.pool, dayOf(now) + 1);
  const [dropped = 0] = await expireInPortions(d.pool, [
    { transaction: 'drop-receipt-days', end: (tx) => dropReceiptDays(tx, firstReceiptDay(now)) },
  ]);
  if (dropped > 0) d.log.info('receipt-days-dropped', { count: dropped });
}
