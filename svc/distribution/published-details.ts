import { type DistributionRun, type KeyPackage, RunOutcome } from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import type { Queryable } from '../../lib/db/pool.ts';
import type { MetricsDetails } from '../../lib/rpc/metrics-service.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { windowEndSeconds } from './object-window.ts';
import { aggregateRegion } from './rules.ts';
import { type CountedPackageRow, readPackageList } from './store/package-list.ts';
import { readRuns, type RunRow } from './store/run-history.ts';

/** Most of each that an answer holds (`cwa/metrics/v1/metrics.proto`). */
const limit = 50;

const outcomes: Readonly<Record<RunRow['outcome'], RunOutcome>> = {
  done: RunOutcome.RUN_OUTCOME_DONE,
  incomplete: RunOutcome.RUN_OUTCOME_INCOMPLETE,
  failed: RunOutcome.RUN_OUTCOME_FAILED,
};

/** The ops API gives an answer 5 s. */
const readWithinMs = 2_000;

/**
 * The newest runs and packages, for operators; read when they are asked for. Of a database that is away or silent they
 * are told as they were: without an answer the process itself would seem to be down, and nobody would hear why.
 */
export function publishedDetails({ pool, clock }: { pool: Queryable; clock: Clock }): MetricsDetails {
  let known: Awaited<ReturnType<MetricsDetails>> = { runs: [], packages: [] };
  const read = async (): Promise<void> => {
    const runs = (await readRuns(pool, limit)).map(runOf);
    known = { runs, packages: (await readPackageList(pool, limit)).map(packageOf) };
  };
  return async () => {
    const answered = new AbortController();
    await Promise.race([read(), clock.sleep(readWithinMs, answered.signal)]).catch(() => {});
    answered.abort();
    return known;
  };
}

const runOf = (row: RunRow): DistributionRun => ({
  startedAt: row.started_at,
  durationSeconds: row.duration_seconds,
  outcome: outcomes[row.outcome],
  packages: row.packages,
  objectsPut: row.objects_put,
  objectsDeleted: row.objects_deleted,
});

/** Padding is part of `keys`; how much there is is not told, nor can it be had as the difference of hours and days. */
function packageOf({ region, kind, day, hour, size, ...counted }: CountedPackageRow): KeyPackage {
  const all = region === aggregateRegion;
  const padding = all ? counted.all_padding : counted.own_padding;
  const keys = (all ? counted.all_keys : counted.own_keys) + padding;
  return {
    region,
    windowEnd: new Date(windowEndSeconds({ kind, day, ...(hour === null ? {} : { hour }) }) * 1_000),
    day: kind === 'day',
    keys,
    paddingKeys: padding > 0 ? keys : 0,
    bytes: size,
  };
}
