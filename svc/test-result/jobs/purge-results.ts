import { purgeDeadRows } from '../../../lib/db/purge.ts';
import type { Deps } from '../deps.ts';

/**
 * Leaves nothing of deleted results in pages and indexes. PostgreSQL's own vacuum waits until a fifth of the table is
 * dead, which here is twelve days of results, and may leave the indexes as they are.
 */
export async function purgeResults(d: Deps): Promise<void> {
  const started = d.clock.monotonicMs();
  if (!(await d.pool.withConnection((db) => purgeDeadRows(db, ['test_result']), { endless: true }))) return;
  d.log.info('results-purged', { durationMs: Math.round(d.clock.monotonicMs() - started) });
}
