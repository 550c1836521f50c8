import { errorFields } from '../../../lib/telemetry/log.ts';
import type { Deps } from '../deps.ts';
import { noCounts, type RunCounts } from '../publisher.ts';
import { recordRun } from '../store/run-history.ts';

/** `incomplete`: something was left to the next run. `failed`: it broke off. */
export type RunStatus = 'done' | 'incomplete' | 'failed' | 'busy';

export interface RunReport {
  /** Kept current by the run, so that one that breaks off has done what it says. */
  readonly counts: RunCounts;
  begin(runNumber: number): void;
  /** `keys`: what came out, padding included, as everybody can see. */
  end(status: RunStatus, keys?: number): Promise<void>;
}

/** Days that the history of runs goes back. */
const historyDays = 40;

/** Tells how a run went when it has ended: metrics, log, and its row in the history. Never fails a run. */
export function openReport(d: Deps): RunReport {
  const startedAt = d.clock.now();
  const begunMs = d.clock.monotonicMs();
  const counts = noCounts();
  let runNumber: number | undefined;
  return {
    counts,
    begin(number) {
      runNumber = number;
    },
    async end(status, keys = 0) {
      const durationMs = Math.round(d.clock.monotonicMs() - begunMs);
      d.metrics.count('cwa.distribution.runs', { 'cwa.outcome': status });
      if (status === 'busy') return d.log.info('run-refused', { reason: 'another run is under way' });
      d.metrics.record('cwa.distribution.run.duration', {}, durationMs / 1_000);
      if (counts.failed > 0) d.log.error('run-incomplete', { count: counts.failed });
      const { packages, put: objectsPut, deleted: objectsDeleted } = counts;
      d.log.info('run-ended', { status, count: keys, packages, objectsPut, objectsDeleted, durationMs });
      if (runNumber === undefined) return;
      const row = {
        run_number: runNumber,
        started_at: startedAt,
        duration_seconds: durationMs / 1_000,
        outcome: status,
        packages,
        objects_put: objectsPut,
        objects_deleted: objectsDeleted,
        failures: counts.failed,
      };
      await recordRun(d.pool, row, historyDays).catch((error: unknown) =>
        d.log.warn('run-not-recorded', errorFields(error)),
      );
    },
  };
}
