import { inTx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import { deleteOldResults, redeemOldResults, tryRetentionLock } from '../store.ts';

const dayMs = 86_400_000;
/** S 3.5. Redeemed means the final code of the row's own family, which phones show as expired. */
const readableDays = 21;
const keptDays = 60;
/** Rows a transaction, so that none is long even after an outage. */
const portion = 5_000;

/** Ends what is past its time: 21 days after its first delivery a result is redeemed, after 60 days it is gone. */
export async function expireResults(d: Deps): Promise<void> {
  const now = d.clock.now();
  const before = (days: number): Date => new Date(now.getTime() - days * dayMs);
  const deleted = await untilDone((limit) =>
    inTx(d.pool, 'delete-old-results', async (tx) =>
      (await tryRetentionLock(tx)) ? deleteOldResults(tx, before(keptDays), limit) : 0,
    ),
  );
  const redeemed = await untilDone((limit) =>
    inTx(d.pool, 'redeem-old-results', async (tx) =>
      (await tryRetentionLock(tx)) ? redeemOldResults(tx, before(readableDays), limit) : 0,
    ),
  );
  if (deleted > 0) d.log.info('results-deleted', { count: deleted });
  if (redeemed > 0) d.log.info('results-redeemed', { count: redeemed });
}

async function untilDone(step: (limit: number) => Promise<number>): Promise<number> {
  let total = 0;
  for (let count = portion; count === portion; total += count) count = await step(portion);
  return total;
}
