import { join } from 'node:path';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { isProbeKey } from '../../lib/exposure/probe-key.ts';
import { migrate } from '../../lib/db/migrate.ts';
import { openPool } from '../../lib/db/pool.ts';
import { startManagement } from '../../lib/process/management.ts';
import { repeat } from '../../lib/process/repeat.ts';
import { runProcess } from '../../lib/process/run.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import { startRpcServer } from '../../lib/rpc/server.ts';
import { certificatesOf, readConfig } from './config.ts';
import { rememberedCountrySets } from './country-sets.ts';
import type { Deps } from './deps.ts';
import { confirmStored } from './jobs/confirm-stored.ts';
import { deleteExpired } from './jobs/delete-expired.ts';
import { rememberedKeyDays } from './key-days.ts';
import { services } from './service.ts';
import { sparseLog } from './sparse-log.ts';
import { supportedCountries } from './supported-countries.ts';

await runProcess('submission', async ({ clock, log, telemetry, security, onStop, stopping }) => {
  const { settings, intake: config, database } = readConfig(process.env);
  const certificates = certificatesOf(settings, log);
  onStop(() => certificates.close());
  await migrate(database, join(import.meta.dirname, 'migrations'), log);
  const pool = openPool(database, log, { metrics: telemetry.metrics });
  onStop(() => pool.close());
  const channel = openChannel({
    address: settings.VERIFICATION_ADDRESS,
    serverName: 'verification',
    certificates,
    clock,
    metrics: telemetry.metrics,
  });
  onStop(() => channel.close());
  const verification = clientOf(channel, 'cwa.verification.v1.TanService', TanServiceService, { deadlineMs: 5_000 });
  const countries = supportedCountries(pool, clock, config.supportedCountries);
  await countries.refresh();
  const countrySets = rememberedCountrySets(pool);
  const keyDays = rememberedKeyDays(pool);
  const report = sparseLog(log, clock);
  const probeSecret = settings.PROBE_KEY_SECRET_FILE?.reveal();
  const deps: Deps = {
    clock,
    random: secureRandom,
    pool,
    verification,
    config,
    countries,
    countrySets,
    keyDays,
    isProbeKey: (key) => probeSecret !== undefined && isProbeKey(probeSecret, key),
    metrics: telemetry.metrics,
    report,
  };

  const management = await startManagement({
    host: settings.SUBMISSION_MANAGEMENT_HOST,
    port: settings.SUBMISSION_MANAGEMENT_PORT,
    setting: 'SUBMISSION_MANAGEMENT_PORT',
    checks: { database: () => pool.query('select 1') },
    telemetry,
    stopping,
  });
  onStop(() => management.close());
  const often = { clock, log, metrics: telemetry.metrics, signal: stopping };
  const sweepMs = settings.SUBMISSION_SWEEP_INTERVAL_SECONDS * 1_000;
  const sweeper = repeat({ job: 'confirm-stored', everyMs: sweepMs, ...often }, () => confirmStored(deps));
  const expire = deleteExpired({ ...deps, log });
  const retentionMs = settings.SUBMISSION_RETENTION_INTERVAL_SECONDS * 1_000;
  const retention = repeat({ job: 'delete-expired', everyMs: retentionMs, ...often }, async () => {
    await countries.refresh();
    await expire();
  });
  onStop(() => Promise.all([sweeper, retention]).then(() => {}));
  const server = await startRpcServer({
    process: 'submission',
    host: settings.SUBMISSION_HOST,
    port: settings.SUBMISSION_PORT,
    portSetting: 'SUBMISSION_PORT',
    certificates,
    services: services(deps),
    clock,
    log,
    telemetry,
    security,
  });
  onStop(() => server.close());
});
