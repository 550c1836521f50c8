import { startManagement } from '../../lib/process/management.ts';
import { repeat } from '../../lib/process/repeat.ts';
import type { ProcessContext } from '../../lib/process/run.ts';
import type { CertificateSource } from '../../lib/rpc/certificates.ts';
import { startRpcServer } from '../../lib/rpc/server.ts';
import type { Config } from './config.ts';
import type { Deps } from './deps.ts';
import { runDistribution } from './jobs/run.ts';
import { observeDistribution } from './observe-distribution.ts';
import { publishedDetails } from './published-details.ts';
import { services } from './service.ts';

/** Opens the management port, the own clock of runs where one is set, and the port of the mesh. */
export async function serve(
  { clock, log, telemetry, security, onStop, stopping }: ProcessContext,
  { settings }: Config,
  deps: Deps,
  certificates: CertificateSource,
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
  observeDistribution(deps, settings.DISTRIBUTION_INTERVAL_SECONDS);
  const everyMs = settings.DISTRIBUTION_INTERVAL_SECONDS * 1_000;
  if (everyMs > 0) {
    const job = { job: 'run-distribution', everyMs, clock, log, metrics: telemetry.metrics, signal: stopping };
    const runs = repeat(job, async () => {
      await runDistribution(deps);
    });
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
    published: publishedDetails(deps.pool),
  });
  onStop(() => server.close());
}
