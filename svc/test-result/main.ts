import { join } from 'node:path';
import { openDatabase } from '../../lib/db/open-database.ts';
import { runProcess } from '../../lib/process/run.ts';
import { meshProcess } from '../../lib/rpc/mesh-process.ts';
import { readConfig } from './config.ts';
import type { Deps } from './deps.ts';
import { expireReceipts } from './jobs/expire-receipts.ts';
import { expireResults } from './jobs/expire-results.ts';
import { purgeResults } from './jobs/purge-results.ts';
import { services } from './service.ts';

await runProcess('test-result', async (context) => {
  const { settings, database } = readConfig(process.env);
  const mesh = meshProcess('test-result', settings, context);
  const pool = await openDatabase(database, join(import.meta.dirname, 'migrations'), context);
  const deps: Deps = { pool, clock: context.clock, log: context.log, metrics: context.telemetry.metrics };

  await mesh.management({ database: () => pool.query('select 1') });
  mesh.repeat('expire-results', settings.TEST_RESULT_RETENTION_INTERVAL_SECONDS, async () => {
    await expireResults(deps);
    await expireReceipts(deps);
  });
  mesh.repeat('purge-results', settings.TEST_RESULT_PURGE_INTERVAL_SECONDS, () => purgeResults(deps));
  await mesh.serve(services(deps));
});
