import { join } from 'node:path';
import { startManagement } from '../lib/process/management.ts';
import { runProcess } from '../lib/process/run.ts';
import { secureRandom } from '../lib/random/random.ts';
import { watchCertificates } from '../lib/rpc/certificates.ts';
import { metricsAnswer } from '../lib/rpc/metrics-service.ts';
import { startRpcServer } from '../lib/rpc/server.ts';
import { systemClock } from '../lib/time/clock.ts';
import { certificateFiles } from './certificate-files.ts';
import { readConfig } from './config.ts';
import { startFeed } from './feed/feed.ts';
import { Fleet } from './feed/fleet.ts';
import { meshSource } from './feed/mesh-source.ts';
import { openHistory } from './history/open-history.ts';
import { startOperatorPort } from './ops-api.ts';
import { loadServices, processesOf } from './service.ts';
import { tokenVerifier } from './sign-in/bearer.ts';

await runProcess('ops-api', async ({ clock, log, telemetry, security, onStop, stopping }) => {
  const services = await loadServices(join(import.meta.dirname, 'services'));
  const processes = [...processesOf(services).keys()];
  const { settings, addresses } = readConfig(process.env, processes);
  const files = certificateFiles(settings);
  const inside = watchCertificates(files.mesh.files, { settings: files.mesh.settings, log });
  onStop(() => inside.close());
  const outside = watchCertificates(files.outside.files, { settings: files.outside.settings, log });
  onStop(() => outside.close());

  const { metrics } = telemetry;
  const { history, save } = openHistory(settings.OPS_API_HISTORY_FILE, log);
  onStop(save);
  const fleet = new Fleet(processes, (name) => name === 'ops-api' || addresses.has(name));
  const others = [...addresses].map(([name, address]) =>
    meshSource({ process: name, address, certificates: inside, clock, metrics }),
  );
  const itself = {
    process: 'ops-api' as const,
    replicas: async () => [{ key: 'itself', ask: () => metricsAnswer(telemetry) }],
  };
  onStop(() => others.forEach((source) => source.close()));
  const everyMs = settings.TELEMETRY_FLUSH_SECONDS * 1_000;
  const sources = [...others.filter((source) => source.process !== 'ops-api'), itself];
  const feed = startFeed({ sources, services, fleet, history, clock, log, metrics, everyMs, save, signal: stopping });
  onStop(() => feed);

  const tokens =
    settings.OPS_API_OIDC_ISSUER === undefined
      ? undefined
      : tokenVerifier({
          issuer: settings.OPS_API_OIDC_ISSUER,
          audience: settings.OPS_API_OIDC_AUDIENCE,
          ...(settings.OPS_API_OIDC_CA_FILE === undefined ? {} : { ca: settings.OPS_API_OIDC_CA_FILE }),
          clock: systemClock,
        });
  onStop(() => tokens?.close());
  const operators = await startOperatorPort({
    settings,
    certificates: outside,
    services,
    fleet,
    history,
    ...(tokens ? { verifyToken: tokens.verify } : {}),
    clock,
    random: secureRandom,
    log,
    metrics,
    security,
  });
  onStop(() => operators.close());
  const management = await startManagement({
    host: settings.OPS_API_MANAGEMENT_HOST,
    port: settings.OPS_API_MANAGEMENT_PORT,
    setting: 'OPS_API_MANAGEMENT_PORT',
    // It serves what it knows when processes are silent, and says so.
    checks: {},
    telemetry,
    stopping,
  });
  onStop(() => management.close());
  const server = await startRpcServer({
    process: 'ops-api',
    host: settings.OPS_API_MESH_HOST,
    port: settings.OPS_API_MESH_PORT,
    portSetting: 'OPS_API_MESH_PORT',
    certificates: inside,
    services: [],
    clock,
    log,
    telemetry,
    security,
  });
  onStop(() => server.close());
});
