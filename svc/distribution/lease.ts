import type { Pool } from '../../lib/db/pool.ts';
import { beginRun } from './store/state.ts';

/** Any constant that nothing else in this database uses. */
const leaseKey = 4_919_262;

/**
 * Runs `work` unless another run is under way, which answers 'busy' (D 2.1). The lease is a lock of one database
 * session: it ends with the process. Should the session break while `work` goes on, the run number fences it: a newer
 * run makes every write of the older one fail.
 */
export async function withLease<T>(pool: Pool, work: (runNumber: number) => Promise<T>): Promise<T | 'busy'> {
  return pool.withConnection(async (session) => {
    const { rows } = await session.query<{ held: boolean }>('select pg_try_advisory_lock($1) as held', [leaseKey]);
    if (rows[0]?.held !== true) return 'busy';
    try {
      return await work(await beginRun(session));
    } finally {
      // A broken session has lost the lock already, and the first error is the one that matters.
      await session.query('select pg_advisory_unlock($1)', [leaseKey]).catch(() => {});
    }
  });
}
