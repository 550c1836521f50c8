import { INTERVALS_PER_DAY, utcDayOfHour } from '../../../lib/exposure/intervals.ts';
import { inTx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import type { Publisher } from '../publisher.ts';
import { hourPackageDays, manyRows, retentionDays } from '../rules.ts';
import type { DecidedHours, RunTime } from '../run-time.ts';
import { forgetObjects, type PublishedObject } from '../store/inventory.ts';
import { deleteExpiredAssigned, deleteExpiredWaiting } from '../store/key-pool.ts';
import { addExcluded, lockState, setCleanedDay } from '../store/state.ts';
import { oldestWarningHour } from './publish-warning-hours.ts';

/** Whether an object's own date has left its retention (D 2.9, decision 24). */
function isExpired(object: Pick<PublishedObject, 'kind' | 'day' | 'hour'>, time: RunTime): boolean {
  const { kind, day = time.today, hour = time.currentHour } = object;
  if (kind === 'day') return day < time.today - retentionDays;
  if (kind === 'hour' || kind === 'hour-index') return day < time.today - hourPackageDays + 1;
  return kind === 'warning-hour' && hour < oldestWarningHour(time);
}

export interface Deletable {
  /** Every package and index of keys is as it should be. */
  readonly keys: boolean;
  /** The same for check-in warnings. */
  readonly warnings: boolean;
  /** Every hour that has ended is decided upon: what still waits has had its last chance. */
  readonly waiting: boolean;
}

/**
 * Last step of a run: objects first (an index before what it names), then the inventory, then rows of the pool. What
 * an index that could not be replaced may still name stays, and so do the keys of packages that are not written.
 */
export async function deleteExpired(
  d: Deps,
  publisher: Publisher,
  runNumber: number,
  time: RunTime,
  hours: DecidedHours,
  deletable: Deletable,
): Promise<void> {
  await deleteObjects(d, publisher, runNumber, time, deletable);
  if (!deletable.keys) return;
  await inTx(
    d.pool,
    'delete-expired-keys',
    async (tx) => {
      const state = await lockState(tx, runNumber);
      const firstStart = (days: number): number => (time.today - days) * INTERVALS_PER_DAY;
      if (deletable.waiting) {
        await addExcluded(tx, 'expired', await deleteExpiredWaiting(tx, firstStart(d.rules.daysToPublish)));
      }
      // Reads the whole pool, and only midnight makes a key too old.
      const decidedDay = utcDayOfHour(hours.last + 1);
      if (state.cleaned_day >= decidedDay) return;
      await deleteExpiredAssigned(tx, firstStart(retentionDays), decidedDay * 24);
      await setCleanedDay(tx, decidedDay);
    },
    manyRows,
  );
}

async function deleteObjects(
  d: Deps,
  publisher: Publisher,
  runNumber: number,
  time: RunTime,
  deletable: Deletable,
): Promise<void> {
  const expired = [...publisher.inventory.values()].filter(
    (object) => isExpired(object, time) && (object.kind === 'warning-hour' ? deletable.warnings : deletable.keys),
  );
  const keysOf = (objects: PublishedObject[]): string[] => objects.map(({ objectKey }) => objectKey);
  const indexes = keysOf(expired.filter(({ kind }) => kind === 'hour-index'));
  const packages = keysOf(expired.filter(({ kind }) => kind !== 'hour-index'));
  const removed = (await publisher.remove(indexes)) && (await publisher.remove(packages));
  if (!removed || expired.length === 0) return;
  await inTx(d.pool, 'forget-objects', async (tx) => {
    await lockState(tx, runNumber);
    await forgetObjects(tx, [...indexes, ...packages]);
  });
  publisher.forget([...indexes, ...packages]);
}
