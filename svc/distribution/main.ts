import { join } from 'node:path';
import { ProbeKeyServiceService } from '../../gen/mesh/cwa/submission/v1/probe_key.ts';
import { DiagnosisKeyServiceService } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { openDatabase } from '../../lib/db/open-database.ts';
import { runProcess } from '../../lib/process/run.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { clientOf } from '../../lib/rpc/client.ts';
import { meshProcess } from '../../lib/rpc/mesh-process.ts';
import { readConfig } from './config.ts';
import { countedSigner } from './counted-signer.ts';
import { countedStore } from './counted-store.ts';
import type { Deps } from './deps.ts';
import { logSettings } from './log-settings.ts';
import { openStore } from './open-store.ts';
import { rebuildOnce, runOnce } from './run-once.ts';
import { serve } from './serve.ts';
import { proveSigners } from './signer.ts';

await runProcess('distribution', async (context) => {
  const { clock, log, telemetry, security, onStop } = context;
  const { metrics } = telemetry;
  const config = readConfig(process.env);
  const { settings, rules, configuration } = config;
  logSettings(log, config);
  const mesh = meshProcess('distribution', settings, context);
  await proveSigners(config.signers);
  const pool = await openDatabase(config.database, join(import.meta.dirname, 'migrations'), context);
  const store = await openStore(config.store);
  onStop(() => store.close());
  // Not counted: it is no request of a run.
  mesh.dependsOn('object-store', () => store.head('version').then(() => true));
  const blob = countedStore(store, metrics);
  const submission = mesh.channel('submission', settings.SUBMISSION_ADDRESS);
  const deps: Deps = {
    clock,
    random: secureRandom,
    log,
    metrics,
    security,
    pool,
    blob,
    submission: clientOf(submission, 'cwa.submission.v1.DiagnosisKeyService', DiagnosisKeyServiceService),
    probes: clientOf(submission, 'cwa.submission.v1.ProbeKeyService', ProbeKeyServiceService),
    signers: config.signers.map((signer) => countedSigner(signer, metrics)),
    rules,
    configuration,
    maximumFailures: settings.DISTRIBUTION_MAXIMUM_FAILED_REQUESTS,
  };
  if (process.argv.includes('--once')) await runOnce(deps);
  else if (process.argv.includes('--rebuild')) await rebuildOnce(deps);
  else await serve(mesh, deps, settings.DISTRIBUTION_INTERVAL_SECONDS);
});
