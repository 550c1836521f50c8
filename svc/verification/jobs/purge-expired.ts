import { purgeDeadRows } from '../../../lib/db/purge.ts';
import type { Deps } from '../deps.ts';

const tables = ['session', 'registered_hash', 'tele_tan', 'tele_tan_attempt', 'tan', 'tan_tombstone'];

/** Leaves no hash of a deleted row in pages and indexes; PostgreSQL's own vacuum comes late and spares the indexes. */
export async function purgeExpiredRows(d: Pick<Deps, 'pool' | 'clock' | 'log'>): Promise<void> {
  const started = d.clock.monotonicMs();
  if (!(await d.pool.withConnection((db) => purgeDeadRows(db, tables), { endless: true }))) return;
  d.log.info('deleted-rows-purged', { durationMs: Math.round(d.clock.monotonicMs() - started) });
}
