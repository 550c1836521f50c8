import { HOUR_SECONDS, hoursSinceEpoch, utcDay } from '../../../lib/exposure/intervals.ts';
import type { Log } from '../../../lib/telemetry/log.ts';
import type { Deps } from '../deps.ts';
import { dropKeyDay, keyDaysBefore } from '../store/key-day.ts';
import { deleteProbeKeysBefore } from '../store/probe-key.ts';
import { deleteReservationsBefore, withRetentionLock } from '../store/retention.ts';

/** After midnight distribution publishes the last hour of the old day first (decision 24). */
const afterMidnightSeconds = HOUR_SECONDS;
/** Of reservations and of the prober's keys. */
const shortTermHours = 24;

/**
 * Retention: a key of UTC day K lives while K ≥ today − 14 (it was submitted on that day or later); a reservation lives
 * for 24 hours after it was confirmed or abandoned, and a key of the prober no longer than that. Answers a job that is cheap to call. It looks at the days each time:
 * a replica whose clock is late may have stored into one that was dropped. Throws when uploads did not let it drop a
 * day; the next run goes on.
 */
export function deleteExpired(d: Pick<Deps, 'pool' | 'clock' | 'config'> & { readonly log: Log }): () => Promise<void> {
  let doneForHour = Number.NEGATIVE_INFINITY;

  return async () => {
    const nowSeconds = d.clock.nowMs() / 1000;
    const oldestDay = utcDay(nowSeconds - afterMidnightSeconds) - d.config.retentionDays;
    const oldestHour = hoursSinceEpoch(nowSeconds) - shortTermHours;
    const expired = await keyDaysBefore(d.pool, oldestDay);
    if (expired.length === 0 && oldestHour <= doneForHour) return;

    await withRetentionLock(d.pool, async (db) => {
      if (oldestHour > doneForHour) {
        await deleteReservationsBefore(db, oldestHour);
        await deleteProbeKeysBefore(db, oldestHour + 1);
        doneForHour = oldestHour;
      }
      for (const day of expired) await dropKeyDay(db, day);
      if (expired.length > 0) d.log.info('expired-key-days-dropped', { count: expired.length });
    });
  };
}
