import { join } from 'node:path';
import { migrate } from '../../lib/db/migrate.ts';
import { openPool } from '../../lib/db/pool.ts';
import { startManagement } from '../../lib/process/management.ts';
import { repeat } from '../../lib/process/repeat.ts';
import { runProcess } from '../../lib/process/run.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { startRpcServer } from '../../lib/rpc/server.ts';
import { readConfig } from './config.ts';
import type { Deps } from './deps.ts';
import { expireReceipts } from './jobs/expire-receipts.ts';
import { expireResults } from './jobs/expire-results.ts';
import { purgeResults } from './jobs/purge-results.ts';
import { services } from './service.ts';

await runProcess('test-result', async ({ clock, log, telemetry, security, onStop, stopping }) => {
  const { settings, database } = readConfig(process.env);
  const certificates = watchCertificates(
    {
      certFile: settings.TEST_RESULT_TLS_CERT_FILE,
      keyFile: settings.TEST_RESULT_TLS_KEY_FILE,
      caFile: settings.TEST_RESULT_TLS_CA_FILE,
    },
    {
      settings: {
        certFile: 'TEST_RESULT_TLS_CERT_FILE',
        keyFile: 'TEST_RESULT_TLS_KEY_FILE',
        caFile: 'TEST_RESULT_TLS_CA_FILE',
      },
      log,
    },
  );
  onStop(() => certificates.close());
  await migrate(database, join(import.meta.dirname, 'migrations'), log);
  const pool = openPool(database, log, { metrics: telemetry.metrics });
  onStop(() => pool.close());
  const deps: Deps = { pool, clock, log };

  const management = await startManagement({
    host: settings.TEST_RESULT_MANAGEMENT_HOST,
    port: settings.TEST_RESULT_MANAGEMENT_PORT,
    setting: 'TEST_RESULT_MANAGEMENT_PORT',
    checks: { database: () => pool.query('select 1') },
    telemetry,
    stopping,
  });
  onStop(() => management.close());
  const retention = repeat(
    {
      job: 'expire-results',
      everyMs: settings.TEST_RESULT_RETENTION_INTERVAL_SECONDS * 1_000,
      clock,
      log,
      metrics: telemetry.metrics,
      signal: stopping,
    },
    async () => {
      await expireResults(deps);
      await expireReceipts(deps);
    },
  );
  onStop(() => retention);
  const purge = repeat(
    {
      job: 'purge-results',
      everyMs: settings.TEST_RESULT_PURGE_INTERVAL_SECONDS * 1_000,
      clock,
      log,
      metrics: telemetry.metrics,
      signal: stopping,
    },
    () => purgeResults(deps),
  );
  onStop(() => purge);
  const server = await startRpcServer({
    process: 'test-result',
    host: settings.TEST_RESULT_HOST,
    port: settings.TEST_RESULT_PORT,
    portSetting: 'TEST_RESULT_PORT',
    certificates,
    services: services(deps),
    clock,
    log,
    telemetry,
    security,
  });
  onStop(() => server.close());
});
