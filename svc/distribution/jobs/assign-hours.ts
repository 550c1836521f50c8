import { INTERVALS_PER_DAY, utcDayOfHour } from '../../../lib/exposure/intervals.ts';
import { inTx, type Tx } from '../../../lib/db/tx.ts';
import type { Deps } from '../deps.ts';
import { type HourPlan, planHour, type WaitingKeys } from '../hour-plan.ts';
import { manyRows, type PublishingRules } from '../rules.ts';
import type { RunTime } from '../run-time.ts';
import {
  assignAll,
  assignOldest,
  countOldest,
  insertPadding,
  readPaddingPatterns,
  readWaiting,
  type WaitingRow,
} from '../store/key-pool.ts';
import {
  closeHour,
  closeHoursEmpty,
  countAssigned,
  lockState,
  setFirstHour,
  setLastAssignedHour,
} from '../store/state.ts';

export interface Assignment {
  readonly keysAssigned: number;
  readonly paddingKeys: number;
}

/**
 * Closes every hour that has ended: those that an outage missed without keys, the newest one with what the pool may
 * give (decisions 24 to 26). One transaction; a closed hour is never looked at again.
 */
export async function assignHours(d: Deps, runNumber: number, time: RunTime): Promise<Assignment> {
  return inTx(
    d.pool,
    'assign-hours',
    async (tx) => {
      const state = await lockState(tx, runNumber);
      const firstHour = state.first_hour ?? time.currentHour;
      if (state.first_hour === null) await setFirstHour(tx, firstHour);
      const from = (state.last_assigned_hour ?? firstHour - 1) + 1;
      const hour = time.lastClosedHour;
      if (from > hour) return { keysAssigned: 0, paddingKeys: 0 };
      if (from < hour) await closeHoursEmpty(tx, from, hour - 1);
      await fillHour(d, tx, hour);
      const { real, padding } = await closeHour(tx, hour);
      await setLastAssignedHour(tx, hour);
      return { keysAssigned: real, paddingKeys: padding };
    },
    manyRows,
  );
}

async function fillHour(d: Deps, tx: Tx, hour: number): Promise<void> {
  const { rules, random } = d;
  const day = utcDayOfHour(hour);
  const firstStart = (day - rules.daysToPublish) * INTERVALS_PER_DAY;
  const rows = await readWaiting(tx, hour, firstStart);
  const own = waitingOf(rows, 1, firstStart);
  const foreign = waitingOf(rows, 2, firstStart);
  const plan = planHour(hour, own, foreign, rules, (max) => random.int(max));
  if (!plan.takeOwn && !plan.takeForeign) return;
  const room = rules.maximumKeys - (await countAssigned(tx, day * 24, hour - 1));
  const wanted =
    (plan.takeOwn ? own.count + plan.ownPadding : 0) + (plan.takeForeign ? foreign.count + plan.foreignPadding : 0);
  if (wanted > room) return fillWithOldest(d, tx, hour, firstStart, room, own.count + foreign.count);
  // Patterns first: they may come from the waiting keys themselves.
  await pad(d, tx, hour, firstStart, plan);
  await assignAll(tx, hour, firstStart, [...(plan.takeOwn ? [1] : []), ...(plan.takeForeign ? [2] : [])]);
}

function waitingOf(rows: readonly WaitingRow[], bucket: number, firstStart: number): WaitingKeys {
  const row = rows.find((one) => one.bucket === bucket);
  if (row === undefined) return { count: 0, oldestRelease: 0, lastDay: false };
  return {
    count: row.count,
    oldestRelease: row.oldest_release,
    lastDay: row.oldest_start < firstStart + INTERVALS_PER_DAY,
  };
}

async function pad({ random }: Deps, tx: Tx, hour: number, firstStart: number, plan: HourPlan): Promise<void> {
  const count = plan.ownPadding + plan.foreignPadding;
  if (count === 0) return;
  const patterns = await readPaddingPatterns(tx, hour, firstStart);
  const keys = Array.from({ length: count }, () => {
    const pattern = patterns[random.int(patterns.length)];
    if (pattern === undefined) throw new Error('there is no key to draw padding from');
    return { ...pattern, key_data: random.bytes(16), bucket: plan.ownPadding > 0 ? 1 : 2 };
  });
  await insertPadding(tx, hour, keys);
}

/** More keys than a file or the day may hold: the oldest go first, the rest waits for the next hour (decision 25). */
async function fillWithOldest(
  { rules, log }: Deps,
  tx: Tx,
  hour: number,
  firstStart: number,
  room: number,
  waiting: number,
): Promise<void> {
  const buckets = room < rules.minimumKeys ? [] : await bucketsThatFit(rules, tx, hour, firstStart, room);
  if (buckets.length > 0) await assignOldest(tx, hour, firstStart, buckets, room);
  if (waiting > room) log.warn('keys-overflow', { count: waiting - room, hour });
}

/** Buckets that reach the minimum among the oldest keys; none is better than too few. */
async function bucketsThatFit(
  { minimumKeys }: PublishingRules,
  tx: Tx,
  hour: number,
  firstStart: number,
  room: number,
): Promise<number[]> {
  const counts = await countOldest(tx, hour, firstStart, room);
  const countOf = (bucket: number): number => counts.find((row) => row.bucket === bucket)?.count ?? 0;
  if (countOf(1) >= minimumKeys) return [1, 2];
  return countOf(2) >= minimumKeys ? [2] : [];
}
