import { join } from 'node:path';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { openDatabase } from '../../lib/db/open-database.ts';
import { isProbeKey } from '../../lib/exposure/probe-key.ts';
import { runProcess } from '../../lib/process/run.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { clientOf } from '../../lib/rpc/client.ts';
import { meshProcess } from '../../lib/rpc/mesh-process.ts';
import { gatheredLog } from '../../lib/telemetry/gathered-log.ts';
import { errorFields } from '../../lib/telemetry/log.ts';
import { readConfig } from './config.ts';
import { rememberedCountrySets } from './country-sets.ts';
import type { Deps } from './deps.ts';
import { confirmStored } from './jobs/confirm-stored.ts';
import { deleteExpired } from './jobs/delete-expired.ts';
import { rememberedKeyDays } from './key-days.ts';
import { services } from './service.ts';
import { supportedCountries } from './supported-countries.ts';

await runProcess('submission', async (context) => {
  const { clock, log, telemetry, onStop } = context;
  const { settings, intake: config, database } = readConfig(process.env);
  const mesh = meshProcess('submission', settings, context);
  const pool = await openDatabase(database, join(import.meta.dirname, 'migrations'), context);
  const channel = mesh.channel('verification', settings.VERIFICATION_ADDRESS);
  const verification = clientOf(channel, 'cwa.verification.v1.TanService', TanServiceService, { deadlineMs: 5_000 });
  const countries = supportedCountries(pool, clock, config.supportedCountries);
  await countries.refresh();
  const failures = gatheredLog(log);
  onStop(() => failures.close());
  const probeSecret = settings.PROBE_KEY_SECRET_FILE?.reveal();
  const deps: Deps = {
    clock,
    random: secureRandom,
    pool,
    verification,
    config,
    countries,
    countrySets: rememberedCountrySets(pool),
    keyDays: rememberedKeyDays(pool),
    isProbeKey: (key) => probeSecret !== undefined && isProbeKey(probeSecret, key),
    metrics: telemetry.metrics,
    report: (event, error) => failures.warn(event, errorFields(error)),
  };

  await mesh.management({ database: () => pool.query('select 1') });
  const sweep = () => confirmStored(deps);
  mesh.repeat('confirm-stored', settings.SUBMISSION_SWEEP_INTERVAL_SECONDS, sweep, { discreet: true });
  const expire = deleteExpired({ ...deps, log });
  mesh.repeat('delete-expired', settings.SUBMISSION_RETENTION_INTERVAL_SECONDS, async () => {
    await countries.refresh();
    await expire();
  });
  await mesh.serve(services(deps));
});
