import { join } from 'node:path';
import { TestResultServiceService } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { migrate } from '../../lib/db/migrate.ts';
import { openPool } from '../../lib/db/pool.ts';
import { startManagement } from '../../lib/process/management.ts';
import { repeat } from '../../lib/process/repeat.ts';
import { runProcess } from '../../lib/process/run.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import { startRpcServer } from '../../lib/rpc/server.ts';
import { readConfig, rulesOf } from './config.ts';
import type { Deps } from './deps.ts';
import { deleteExpiredRows } from './jobs/delete-expired.ts';
import { purgeExpiredRows } from './jobs/purge-expired.ts';
import { watchRegistrations } from './jobs/watch-registrations.ts';
import { services } from './service.ts';

const watchedEveryMs = 30_000;

await runProcess('verification', async ({ clock, log, telemetry, security, onStop, stopping }) => {
  const { settings, database } = readConfig(process.env);
  const certificates = watchCertificates(
    {
      certFile: settings.VERIFICATION_TLS_CERT_FILE,
      keyFile: settings.VERIFICATION_TLS_KEY_FILE,
      caFile: settings.VERIFICATION_TLS_CA_FILE,
    },
    {
      settings: {
        certFile: 'VERIFICATION_TLS_CERT_FILE',
        keyFile: 'VERIFICATION_TLS_KEY_FILE',
        caFile: 'VERIFICATION_TLS_CA_FILE',
      },
      log,
    },
  );
  onStop(() => certificates.close());
  await migrate(database, join(import.meta.dirname, 'migrations'), log);
  const pool = openPool(database, log, { metrics: telemetry.metrics });
  onStop(() => pool.close());
  const channel = openChannel({
    address: settings.TEST_RESULT_ADDRESS,
    serverName: 'test-result',
    certificates,
    clock,
    metrics: telemetry.metrics,
  });
  onStop(() => channel.close());
  const testResult = clientOf(channel, 'cwa.test_result.v1.TestResultService', TestResultServiceService, {
    deadlineMs: 5_000,
  });
  const deps: Deps = { pool, clock, random: secureRandom, log, rules: rulesOf(settings), testResult };

  const management = await startManagement({
    host: settings.VERIFICATION_MANAGEMENT_HOST,
    port: settings.VERIFICATION_MANAGEMENT_PORT,
    setting: 'VERIFICATION_MANAGEMENT_PORT',
    checks: { database: () => pool.query('select 1') },
    telemetry,
    stopping,
  });
  onStop(() => management.close());
  const repeated = { clock, log, metrics: telemetry.metrics, signal: stopping };
  const retentionMs = settings.VERIFICATION_RETENTION_INTERVAL_SECONDS * 1_000;
  const retention = repeat({ job: 'delete-expired', everyMs: retentionMs, ...repeated }, () => deleteExpiredRows(deps));
  const watch = repeat({ job: 'watch-registrations', everyMs: watchedEveryMs, ...repeated }, () =>
    watchRegistrations(deps),
  );
  const purgeMs = settings.VERIFICATION_PURGE_INTERVAL_SECONDS * 1_000;
  const purge = repeat({ job: 'purge-expired', everyMs: purgeMs, ...repeated }, () => purgeExpiredRows(deps));
  onStop(() => Promise.all([retention, watch, purge]).then(() => {}));
  const server = await startRpcServer({
    process: 'verification',
    host: settings.VERIFICATION_HOST,
    port: settings.VERIFICATION_PORT,
    portSetting: 'VERIFICATION_PORT',
    certificates,
    services: services(deps),
    clock,
    log,
    telemetry,
    security,
  });
  onStop(() => server.close());
});
