import type { ProcessContext } from '../process/run.ts';
import { gatheredLog } from '../telemetry/gathered-log.ts';
import { migrate } from './migrate.ts';
import { type DatabaseConfig, openPool, type Pool } from './pool.ts';

/** The process's database, brought to the state of its `migrations`; closed at the end of the process. */
export async function openDatabase(
  config: DatabaseConfig,
  migrations: string,
  { log, telemetry, onStop }: ProcessContext,
): Promise<Pool> {
  await migrate(config, migrations, log);
  // A statement that got no answer may be a phone's.
  const failures = gatheredLog(log);
  onStop(() => failures.close());
  const pool = openPool(config, failures, { metrics: telemetry.metrics });
  onStop(() => pool.close());
  return pool;
}
