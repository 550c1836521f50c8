import type { Queryable } from '../../../lib/db/pool.ts';

export interface RunRow {
  run_number: number;
  started_at: Date;
  duration_seconds: number;
  outcome: 'done' | 'incomplete' | 'failed';
  packages: number;
  objects_put: number;
  objects_deleted: number;
  /** What the run could not do. */
  failures: number;
}

/** Adds a run that has ended and deletes those that began more than `retentionDays` before it; one statement. */
export async function recordRun(db: Queryable, run: RunRow, retentionDays: number): Promise<void> {
  await db.query(
    `with old as (delete from distribution_run where started_at < $2::timestamptz - make_interval(days => $9))
     insert into distribution_run
       (run_number, started_at, duration_seconds, outcome, packages, objects_put, objects_deleted, failures)
     values ($1, $2::timestamptz, $3, $4, $5, $6, $7, $8)`,
    [
      run.run_number,
      run.started_at,
      run.duration_seconds,
      run.outcome,
      run.packages,
      run.objects_put,
      run.objects_deleted,
      run.failures,
      retentionDays,
    ],
  );
}

/** Newest first. */
export async function readRuns(db: Queryable, limit: number): Promise<RunRow[]> {
  const { rows } = await db.query<RunRow>(
    `select run_number, started_at, duration_seconds, outcome, packages, objects_put, objects_deleted, failures
     from distribution_run order by run_number desc limit $1`,
    [limit],
  );
  return rows;
}

/** When the newest run that left nothing out ended. */
export async function readLastGoodEnd(db: Queryable): Promise<Date | undefined> {
  const { rows } = await db.query<{ ended_at: Date }>(
    `select started_at + make_interval(secs => duration_seconds) as ended_at
     from distribution_run where outcome = 'done' order by run_number desc limit 1`,
  );
  return rows[0]?.ended_at;
}
