import { join } from 'node:path';
import { DiagnosisKeyServiceService } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { migrate } from '../../lib/db/migrate.ts';
import { openPool } from '../../lib/db/pool.ts';
import { startManagement } from '../../lib/process/management.ts';
import { repeat } from '../../lib/process/repeat.ts';
import { type ProcessContext, runProcess } from '../../lib/process/run.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import { startRpcServer } from '../../lib/rpc/server.ts';
import { type Config, readConfig } from './config.ts';
import type { Deps } from './deps.ts';
import { rebuildStore } from './jobs/rebuild.ts';
import { runDistribution } from './jobs/run.ts';
import { openStore } from './open-store.ts';
import { services } from './service.ts';
import { proveSigners } from './signer.ts';
import { logSettings } from './log-settings.ts';

const tlsSettings = {
  certFile: 'DISTRIBUTION_TLS_CERT_FILE',
  keyFile: 'DISTRIBUTION_TLS_KEY_FILE',
  caFile: 'DISTRIBUTION_TLS_CA_FILE',
} as const;

await runProcess('distribution', async (context) => {
  const { clock, log, telemetry, onStop } = context;
  const config = readConfig(process.env);
  const { settings } = config;
  logSettings(log, config);
  const certificates = watchCertificates(
    {
      certFile: settings.DISTRIBUTION_TLS_CERT_FILE,
      keyFile: settings.DISTRIBUTION_TLS_KEY_FILE,
      caFile: settings.DISTRIBUTION_TLS_CA_FILE,
    },
    { settings: tlsSettings, log },
  );
  onStop(() => certificates.close());
  await proveSigners(config.signers);
  await migrate(config.database, join(import.meta.dirname, 'migrations'), log);
  const pool = openPool(config.database, log, { metrics: telemetry.metrics });
  onStop(() => pool.close());
  const blob = await openStore(config.store);
  onStop(() => blob.close());
  const channel = openChannel({
    address: settings.SUBMISSION_ADDRESS,
    serverName: 'submission',
    certificates,
    clock,
    metrics: telemetry.metrics,
  });
  onStop(() => channel.close());
  const submission = clientOf(channel, 'cwa.submission.v1.DiagnosisKeyService', DiagnosisKeyServiceService);
  const { rules, signers, configuration } = config;
  const maximumFailures = settings.DISTRIBUTION_MAXIMUM_FAILED_REQUESTS;
  const deps: Deps = {
    clock,
    random: secureRandom,
    log,
    pool,
    blob,
    submission,
    signers,
    rules,
    configuration,
    maximumFailures,
  };
  if (process.argv.includes('--once')) await runOnce(deps);
  else if (process.argv.includes('--rebuild')) await rebuildOnce(deps);
  else await serve(context, config, deps, certificates);
});

/** For a cron job: one run, then the end; status 1 when anything was left out. */
async function runOnce(deps: Deps): Promise<void> {
  const outcome = await runDistribution(deps);
  if (outcome !== 'busy' && outcome.failures > 0) process.exitCode = 1;
  process.kill(process.pid, 'SIGTERM');
}

/** After a lost bucket: puts everything back that the inventory names and the store lacks; says what came back. */
async function rebuildOnce(deps: Deps): Promise<void> {
  const outcome = await rebuildStore(deps);
  if (outcome === 'busy') deps.log.error('rebuild-refused', { reason: 'another run is under way' });
  else for (const [status, count] of Object.entries(outcome)) deps.log.info('rebuilt', { status, count });
  if (outcome === 'busy' || outcome.failures > 0) process.exitCode = 1;
  process.kill(process.pid, 'SIGTERM');
}

async function serve(
  { clock, log, telemetry, security, onStop, stopping }: ProcessContext,
  { settings }: Config,
  deps: Deps,
  certificates: ReturnType<typeof watchCertificates>,
): Promise<void> {
  const management = await startManagement({
    host: settings.DISTRIBUTION_MANAGEMENT_HOST,
    port: settings.DISTRIBUTION_MANAGEMENT_PORT,
    setting: 'DISTRIBUTION_MANAGEMENT_PORT',
    checks: { database: () => deps.pool.query('select 1') },
    telemetry,
    stopping,
  });
  onStop(() => management.close());
  const everyMs = settings.DISTRIBUTION_INTERVAL_SECONDS * 1_000;
  if (everyMs > 0) {
    const runs = repeat(
      { job: 'run-distribution', everyMs, clock, log, metrics: telemetry.metrics, signal: stopping },
      async () => {
        await runDistribution(deps);
      },
    );
    onStop(() => runs);
  }
  const server = await startRpcServer({
    process: 'distribution',
    host: settings.DISTRIBUTION_HOST,
    port: settings.DISTRIBUTION_PORT,
    portSetting: 'DISTRIBUTION_PORT',
    certificates,
    services: services(deps),
    clock,
    log,
    telemetry,
    security,
  });
  onStop(() => server.close());
}
