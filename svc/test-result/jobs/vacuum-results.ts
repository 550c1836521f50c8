import type { Deps } from '../deps.ts';
import { vacuumResults } from '../store.ts';

/**
 * Takes deleted and overwritten results out of the table's pages and out of its indexes. PostgreSQL's own vacuum waits
 * until a fifth of the table is dead, which here is ten days of results, and may leave the indexes as they are.
 */
export async function vacuumDeadResults(d: Deps): Promise<void> {
  const started = d.clock.monotonicMs();
  await d.pool.withConnection(vacuumResults);
  d.log.info('results-vacuumed', { durationMs: Math.round(d.clock.monotonicMs() - started) });
}
