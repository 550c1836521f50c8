import { HOUR_SECONDS, hoursSinceEpoch, utcDay } from '../../../lib/exposure/intervals.ts';
import type { Log } from '../../../lib/telemetry/log.ts';
import type { Deps } from '../deps.ts';
import {
  deleteKeysBefore,
  deleteReservationsBefore,
  keyTableBlocks,
  vacuumKeys,
  withRetentionLock,
} from '../store/retention.ts';

/** 64 MiB of the table a statement. */
const blocksAtOnce = 8_192;
/** After midnight distribution publishes the last hour of the old day first (decision 24). */
const afterMidnightSeconds = HOUR_SECONDS;
const reservationHours = 24;

/**
 * Retention: a key of UTC day K lives while K ≥ today − 14, also when it was submitted later; a reservation lives for 24
 * hours after it was confirmed or abandoned. Answers a job that does the work once a day and once an hour and is cheap
 * to call in between.
 */
export function deleteExpired(d: Pick<Deps, 'pool' | 'clock' | 'config'> & { readonly log: Log }): () => Promise<void> {
  let keysDoneForDay = Number.NEGATIVE_INFINITY;
  let reservationsDoneForHour = Number.NEGATIVE_INFINITY;

  return async () => {
    const nowSeconds = d.clock.nowMs() / 1000;
    const oldestDay = utcDay(nowSeconds - afterMidnightSeconds) - d.config.retentionDays;
    const oldestHour = hoursSinceEpoch(nowSeconds) - reservationHours;
    if (oldestDay <= keysDoneForDay && oldestHour <= reservationsDoneForHour) return;

    await withRetentionLock(d.pool, async (db) => {
      if (oldestHour > reservationsDoneForHour) {
        await deleteReservationsBefore(db, oldestHour);
        reservationsDoneForHour = oldestHour;
      }
      if (oldestDay > keysDoneForDay) {
        const blocks = await keyTableBlocks(db);
        let count = 0;
        for (let block = 0; block < blocks; block += blocksAtOnce) {
          count += await deleteKeysBefore(db, oldestDay, block, block + blocksAtOnce);
        }
        if (count > 0) await vacuumKeys(db);
        keysDoneForDay = oldestDay;
        d.log.info('expired-keys-deleted', { count });
      }
    });
  };
}
