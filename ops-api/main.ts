import { join } from 'node:path';
import { runProcess } from '../lib/process/run.ts';
import { secureRandom } from '../lib/random/random.ts';
import { followCertificates, meshProcess } from '../lib/rpc/mesh-process.ts';
import { metricsAnswer } from '../lib/rpc/metrics-service.ts';
import { systemClock } from '../lib/time/clock.ts';
import { operatorTlsSettings } from './certificate-files.ts';
import { readConfig } from './config.ts';
import { feedJob } from './feed/feed.ts';
import { Fleet } from './feed/fleet.ts';
import { awaitNewcomers } from './feed/poll.ts';
import { meshSource } from './feed/mesh-source.ts';
import { openHistory } from './history/open-history.ts';
import { startOperatorPort } from './ops-api.ts';
import { loadServices, processesOf } from './service.ts';
import { tokenVerifier } from './sign-in/bearer.ts';

await runProcess('ops-api', async (context) => {
  const { clock, log, telemetry, security, onStop, stopping } = context;
  const { metrics } = telemetry;
  const services = await loadServices(join(import.meta.dirname, 'services'));
  const processes = [...processesOf(services).keys()];
  const { settings, addresses, issuer } = readConfig(process.env, processes);
  const mesh = meshProcess('ops-api', settings, context);
  const certificates = followCertificates('operators', operatorTlsSettings(settings), settings, context);

  const { history, save } = openHistory(settings.OPS_API_HISTORY_FILE, log);
  onStop(save);
  const others = [...addresses].map(([name, address]) =>
    meshSource({ process: name, address, certificates: mesh.certificates, clock, metrics }),
  );
  onStop(() => others.forEach((source) => source.close()));
  const itself = {
    process: 'ops-api' as const,
    replicas: async () => [{ key: 'itself', ask: () => metricsAnswer(telemetry) }],
  };
  const fleet = new Fleet(processes, (name) => name === itself.process || addresses.has(name));
  const feed = { sources: [...others, itself], services, fleet, history, clock, log, metrics, save };
  mesh.repeat('poll-metrics', settings.TELEMETRY_FLUSH_SECONDS, feedJob(feed));
  const newcomers = awaitNewcomers(feed, stopping);
  onStop(() => newcomers);

  // Tokens are dated by their issuer, which knows nothing of a mesh's own clock.
  const verifyToken = issuer && tokenVerifier({ ...issuer, clock: systemClock });
  const operators = await startOperatorPort({
    settings,
    certificates,
    services,
    fleet,
    history,
    ...(verifyToken ? { verifyToken } : {}),
    clock,
    random: secureRandom,
    log,
    metrics,
    security,
  });
  onStop(() => operators.close());
  // It serves what it knows when processes are silent, and says so: nothing it depends on.
  await mesh.management({});
  await mesh.serve([], 'OPS_API_MESH');
});
