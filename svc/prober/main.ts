import { runProcess } from '../../lib/process/run.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { meshProcess } from '../../lib/rpc/mesh-process.ts';
import { undiciHttp } from '../../phone/undici-http.ts';
import { readConfig } from './config.ts';
import type { Deps } from './deps.ts';
import { markedHttp } from './marked-http.ts';
import { walkAgain } from './walk-again.ts';

await runProcess('prober', async (context) => {
  const { clock, log, telemetry, onStop, stopping } = context;
  const { settings, trusted } = readConfig(process.env);
  const mesh = meshProcess('prober', settings, context);
  const ca = settings.PROBER_CA_FILE;
  const phones = undiciHttp(settings.PROBER_PHONE_URL, { ca });
  onStop(() => phones.close());
  const partners = undiciHttp(settings.PROBER_PARTNER_URL, {
    ca,
    cert: settings.PROBER_CERT_FILE,
    key: settings.PROBER_KEY_FILE.reveal(),
  });
  onStop(() => partners.close());
  const secret = settings.PROBE_REQUEST_SECRET_FILE.reveal();
  const deps: Deps = {
    clock,
    random: secureRandom,
    log,
    metrics: telemetry.metrics,
    phones: markedHttp(phones, secret, clock, secureRandom),
    partners: markedHttp(partners, secret, clock, secureRandom),
    trusted,
    probeKeySecret: settings.PROBE_KEY_SECRET_FILE.reveal(),
    country: settings.PROBER_COUNTRY,
    exportDeadlineMs: settings.PROBER_EXPORT_DEADLINE_SECONDS * 1_000,
    exportPollMs: settings.PROBER_EXPORT_POLL_SECONDS * 1_000,
    stopping,
  };
  // Nothing it needs is checked here: telling what does not work is its work.
  await mesh.management({});
  await mesh.serve([]);
  const journeys = walkAgain(deps, settings.PROBER_INTERVAL_SECONDS * 1_000);
  onStop(() => journeys);
});
