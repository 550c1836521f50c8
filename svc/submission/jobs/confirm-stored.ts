import { hoursSinceEpoch } from '../../../lib/exposure/intervals.ts';
import { untracedWork } from '../../../lib/telemetry/tracing.ts';
import type { Deps } from '../deps.ts';
import { markConfirmed, unconfirmedReservations } from '../store/reservation.ts';

/** Reservations of one call. */
const portion = 1_000;

/**
 * The sweeper: confirms what was stored while verification could not be told, or while this process was killed between
 * the two (decision 20). Throws when verification does not answer; the next run goes on.
 */
export async function confirmStored(d: Pick<Deps, 'pool' | 'clock' | 'verification'>): Promise<void> {
  for (let count = portion; count === portion; ) {
    const reservationIds = await unconfirmedReservations(d.pool, portion);
    count = reservationIds.length;
    if (count === 0) return;
    // Uploads stay out of the job's trace: only what failed for a single one may be waiting here (decision 34).
    await untracedWork(() => d.verification.confirmTans({ reservationIds }));
    await markConfirmed(d.pool, reservationIds, hoursSinceEpoch(d.clock.nowMs() / 1000));
  }
}
