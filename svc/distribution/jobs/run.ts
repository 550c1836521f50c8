import { errorFields } from '../../../lib/telemetry/log.ts';
import { inSpan } from '../../../lib/telemetry/tracing.ts';
import type { Deps } from '../deps.ts';
import { withLease } from '../lease.ts';
import { openPublisher, type RunCounts } from '../publisher.ts';
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
import { reportSigningKeys } from './report-change.ts';
import { openReport, type RunStatus } from './run-report.ts';

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
  return inSpan('distribution run', {}, async (span) => {
    const report = openReport(d);
    const end = async (status: RunStatus, keys?: number): Promise<void> => {
      span.set({ 'cwa.outcome': status });
      await report.end(status, keys);
    };
    try {
      const outcome = await withLease(d.pool, (runNumber) => {
        report.begin(runNumber);
        return run(d, runNumber, report.counts);
      });
      if (outcome === 'busy') await end('busy');
      else await end(outcome.failures > 0 ? 'incomplete' : 'done', outcome.keysAssigned + outcome.paddingKeys);
      return outcome;
    } catch (error) {
      await end('failed');
      throw error;
    }
  });
}

async function run(d: Deps, runNumber: number, counts: RunCounts): Promise<RunOutcome> {
  const time = runTime(d.clock.nowMs(), (await readState(d.pool)).last_assigned_hour);
  const publisher = await openPublisher(d, runNumber, counts);
  await reportSigningKeys(d, runNumber);
  const { keysRead, ingested } = await tryIngest(d, runNumber);
  // An hour is closed once: without its keys it stays open until submission answers again.
  const assignment = ingested ? await assignHours(d, runNumber, time) : { keysAssigned: 0, paddingKeys: 0 };
  const hours = await decidedHours(d, time);
  await inSpan('publish packages', {}, () => publishPackages(d, publisher, time, hours));
  await inSpan('publish indexes', {}, () => publishIndexes(d, publisher, time, hours));
  const keys = counts.failed === 0;
  await inSpan('publish configuration', {}, () => publishArchives(d, publisher, runNumber));
  const warnings = await inSpan('publish warning hours', {}, () => publishWarningHours(d, publisher, time, hours));
  const deletable = { keys, warnings, waiting: ingested };
  await inSpan('delete expired', {}, () => deleteExpired(d, publisher, runNumber, time, hours, deletable));
  await inSpan('publish probe', {}, () => publishProbes(d, time));
  if (!ingested) publisher.fail();
  return {
    keysRead,
    keysAssigned: assignment.keysAssigned,
    paddingKeys: assignment.paddingKeys,
    objectsPut: counts.put,
    objectsDeleted: counts.deleted,
    keysWaiting: await countWaiting(d.pool),
    failures: counts.failed,
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
