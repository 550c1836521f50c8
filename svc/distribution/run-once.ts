import { inTrace } from '../../lib/telemetry/tracing.ts';
import type { Deps } from './deps.ts';
import { rebuildStore } from './jobs/rebuild.ts';
import { runDistribution } from './jobs/run.ts';

/** For a cron job: one run, then the end; status 1 when anything was left out. */
export async function runOnce(deps: Deps): Promise<void> {
  const job = 'run-distribution';
  const outcome = await inTrace(`job ${job}`, { attributes: { 'cwa.job': job } }, () => runDistribution(deps));
  if (outcome !== 'busy' && outcome.failures > 0) process.exitCode = 1;
  process.kill(process.pid, 'SIGTERM');
}

/** After a lost bucket: puts everything back that the inventory names and the store lacks; says what came back. */
export async function rebuildOnce(deps: Deps): Promise<void> {
  const job = 'rebuild-store';
  const outcome = await inTrace(`job ${job}`, { attributes: { 'cwa.job': job } }, () => rebuildStore(deps));
  if (outcome === 'busy') deps.log.error('rebuild-refused', { reason: 'another run is under way' });
  else for (const [status, count] of Object.entries(outcome)) deps.log.info('rebuilt', { status, count });
  if (outcome === 'busy' || outcome.failures > 0) process.exitCode = 1;
  process.kill(process.pid, 'SIGTERM');
}
