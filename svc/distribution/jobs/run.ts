import { errorFields } from '../../../lib/telemetry/log.ts';
import type { Deps } from '../deps.ts';
import { withLease } from '../lease.ts';
import { openPublisher } from '../publisher.ts';
import { type DecidedHours, type RunTime, runTime } from '../run-time.ts';
import { countWaiting } from '../store/key-pool.ts';
import { readState, RunOverruledError } from '../store/state.ts';
import { assignHours } from './assign-hours.ts';
import { deleteExpired } from './delete-expired.ts';
import { ingestKeys } from './ingest-keys.ts';
import { publishArchives } from './publish-archives.ts';
import { publishIndexes } from './publish-indexes.ts';
import { publishPackages } from './publish-packages.ts';
import { publishProbes } from './publish-probes.ts';
import { publishWarningHours } from './publish-warning-hours.ts';

export interface RunOutcome {
  readonly keysRead: number;
  readonly keysAssigned: number;
  readonly paddingKeys: number;
  readonly objectsPut: number;
  readonly objectsDeleted: number;
  readonly keysWaiting: number;
  /** What could not be done this time; the next run tries again. Above 0 the run counts as failed. */
  readonly failures: number;
}

/**
 * One run of distribution with one frozen instant (D 2.1): take over keys, close hours, publish packages before the
 * indexes that name them, configuration, and delete last. Every step starts from what the database says is done, so
 * a run that dies at any point is finished by the next. Answers 'busy' when another run is under way.
 */
export async function runDistribution(d: Deps): Promise<RunOutcome | 'busy'> {
  const started = d.clock.monotonicMs();
  const outcome = await withLease(d.pool, (runNumber) => run(d, runNumber));
  if (outcome === 'busy') {
    d.log.info('run-refused', { reason: 'another run is under way' });
    return outcome;
  }
  if (outcome.failures > 0) d.log.error('run-incomplete', { count: outcome.failures });
  d.log.info('run-ended', { count: outcome.keysAssigned, durationMs: Math.round(d.clock.monotonicMs() - started) });
  return outcome;
}

async function run(d: Deps, runNumber: number): Promise<RunOutcome> {
  const time = runTime(d.clock.nowMs());
  const publisher = await openPublisher(d, runNumber);
  const { keysRead, ingested } = await tryIngest(d, runNumber);
  // An hour is closed once: without its keys it stays open until submission answers again.
  const assignment = ingested ? await assignHours(d, runNumber, time) : { keysAssigned: 0, paddingKeys: 0 };
  const hours = await decidedHours(d, time);
  await publishPackages(d, publisher, time, hours);
  await publishIndexes(d, publisher, time, hours);
  const keys = publisher.counts.failed === 0;
  await publishArchives(d, publisher, runNumber);
  const warnings = await publishWarningHours(d, publisher, time, hours);
  await deleteExpired(d, publisher, runNumber, time, hours, { keys, warnings, waiting: ingested });
  await publishProbes(d, time);
  if (!ingested) publisher.fail();
  const { put, deleted, failed } = publisher.counts;
  return {
    keysRead,
    keysAssigned: assignment.keysAssigned,
    paddingKeys: assignment.paddingKeys,
    objectsPut: put,
    objectsDeleted: deleted,
    keysWaiting: await countWaiting(d.pool),
    failures: failed,
  };
}

async function decidedHours(d: Deps, time: RunTime): Promise<DecidedHours> {
  const { first_hour, last_assigned_hour } = await readState(d.pool);
  const first = first_hour ?? time.currentHour;
  // A clock that was set back never brings the current hour into a package.
  return { first, last: Math.min(last_assigned_hour ?? first - 1, time.lastClosedHour) };
}

async function tryIngest(d: Deps, runNumber: number): Promise<{ keysRead: number; ingested: boolean }> {
  try {
    return { ...(await ingestKeys(d, runNumber)), ingested: true };
  } catch (error) {
    if (error instanceof RunOverruledError) throw error;
    d.log.error('keys-not-read', errorFields(error));
    return { keysRead: 0, ingested: false };
  }
}
