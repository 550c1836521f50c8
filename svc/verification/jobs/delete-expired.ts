import { type Expiring, expireInPortions } from '../../../lib/db/expire.ts';
import { countTans, countTeleTans } from '../counts.ts';
import type { Deps } from '../deps.ts';
import { before, lifetimes } from '../lifetimes.ts';
import { deleteExpired, deleteExpiredTeleTans, type ExpiringTable } from '../store/retention.ts';

/**
 * Deletes what is past its time (S 2.9). Nothing is logged: how many rows end in a minute says how many phones
 * registered in a minute three weeks ago. TANs and teleTANs that nobody used are counted, in steps as when they were
 * issued; a TAN that was used is not in its table any more.
 */
export async function deleteExpiredRows(d: Pick<Deps, 'pool' | 'clock' | 'metrics'>): Promise<void> {
  const now = d.clock.now();
  const transaction = 'delete-expired';
  const rowsOf = (table: ExpiringTable, ms: number): Expiring => ({
    transaction,
    end: (tx, limit) => deleteExpired(tx, table, before(now, ms), limit),
  });
  const teleTans = (redeemed: boolean): Expiring => ({
    transaction,
    end: (tx, limit) => deleteExpiredTeleTans(tx, redeemed, now, before(now, lifetimes.teleTanLimit), limit),
  });
  const [tans = 0, unusedTeleTans = 0] = await expireInPortions(d.pool, [
    rowsOf('tan', lifetimes.tanKept),
    teleTans(false),
    teleTans(true),
    rowsOf('session', lifetimes.session),
    rowsOf('registered_hash', lifetimes.registeredHash),
    rowsOf('tan_tombstone', lifetimes.tanTombstone),
    rowsOf('tele_tan_attempt', lifetimes.teleTanAttempt),
  ]);
  countTans(d, 'expired', tans);
  countTeleTans(d, 'expired', unusedTeleTans);
}
