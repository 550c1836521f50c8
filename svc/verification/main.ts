import { join } from 'node:path';
import { TestResultServiceService } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { openDatabase } from '../../lib/db/open-database.ts';
import { runProcess } from '../../lib/process/run.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { clientOf } from '../../lib/rpc/client.ts';
import { meshProcess } from '../../lib/rpc/mesh-process.ts';
import { gatheredLog } from '../../lib/telemetry/gathered-log.ts';
import { readConfig, rulesOf } from './config.ts';
import type { Deps } from './deps.ts';
import { deleteExpiredRows } from './jobs/delete-expired.ts';
import { purgeExpiredRows } from './jobs/purge-expired.ts';
import { watchRegistrations } from './jobs/watch-registrations.ts';
import { services } from './service.ts';
import { watchTeleTanLimit } from './tele-tan-limit.ts';

const watchedEverySeconds = 30;

await runProcess('verification', async (context) => {
  const { clock, log, telemetry, security, onStop } = context;
  const { settings, database } = readConfig(process.env);
  const mesh = meshProcess('verification', settings, context);
  const pool = await openDatabase(database, join(import.meta.dirname, 'migrations'), context);
  const channel = mesh.channel('test-result', settings.TEST_RESULT_ADDRESS);
  const testResult = clientOf(channel, 'cwa.test_result.v1.TestResultService', TestResultServiceService, {
    deadlineMs: 5_000,
  });
  const { metrics } = telemetry;
  const deps: Deps = {
    pool,
    clock,
    random: secureRandom,
    log,
    metrics,
    security,
    rules: rulesOf(settings),
    testResult,
  };
  watchTeleTanLimit(deps);

  await mesh.management({ database: () => pool.query('select 1') });
  const expire = () => deleteExpiredRows(deps);
  mesh.repeat('delete-expired', settings.VERIFICATION_RETENTION_INTERVAL_SECONDS, expire, { discreet: true });
  mesh.repeat('watch-registrations', watchedEverySeconds, () => watchRegistrations(deps));
  mesh.repeat('purge-expired', settings.VERIFICATION_PURGE_INTERVAL_SECONDS, () => purgeExpiredRows(deps));
  const failures = gatheredLog(log);
  onStop(() => failures.close());
  await mesh.serve(services({ ...deps, log: failures }));
});
