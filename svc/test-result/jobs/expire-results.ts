import { expireInPortions } from '../../../lib/db/expire.ts';
import type { Deps } from '../deps.ts';
import { deleteOldResults, redeemOldResults } from '../store.ts';

const dayMs = 86_400_000;
/** S 3.5. Redeemed means the final code of the row's own family, which phones show as expired. */
const readableDays = 21;
const keptDays = 60;

/** Ends what is past its time: 21 days after its first delivery a result is redeemed, after 60 days it is gone. */
export async function expireResults(d: Deps): Promise<void> {
  const now = d.clock.now();
  const before = (days: number): Date => new Date(now.getTime() - days * dayMs);
  const [deleted = 0, redeemed = 0] = await expireInPortions(d.pool, [
    { transaction: 'delete-old-results', end: (tx, limit) => deleteOldResults(tx, before(keptDays), limit) },
    { transaction: 'redeem-old-results', end: (tx, limit) => redeemOldResults(tx, before(readableDays), limit) },
  ]);
  if (deleted > 0) d.log.info('results-deleted', { count: deleted });
  if (redeemed > 0) d.log.info('results-redeemed', { count: redeemed });
}
