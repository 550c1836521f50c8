import { inTx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import { dayOf, firstReceiptDay } from '../receipt.ts';
import { createReceiptDay, dropReceiptDays } from '../receipt-store.ts';
import { tryRetentionLock } from '../store.ts';

/** Drops the days of receipts that are past their term and makes tomorrow's, so that midnight finds it there. */
export async function expireReceipts(d: Deps): Promise<void> {
  const now = d.clock.now();
  await createReceiptDay(d.pool, dayOf(now) + 1);
  const dropped = await inTx(d.pool, 'drop-receipt-days', async (tx) =>
    (await tryRetentionLock(tx)) ? dropReceiptDays(tx, firstReceiptDay(now)) : 0,
  );
  if (dropped > 0) d.log.info('receipt-days-dropped', { count: dropped });
}
