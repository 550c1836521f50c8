import type { meshProcess } from '../../lib/rpc/mesh-process.ts';
import type { Deps } from './deps.ts';
import { runDistribution } from './jobs/run.ts';
import { observeDistribution } from './observe-distribution.ts';
import { publishedDetails } from './published-details.ts';
import { services } from './service.ts';

/** Runs every `intervalSeconds`, or only when the scheduler asks (0). */
export async function serve(mesh: ReturnType<typeof meshProcess>, deps: Deps, intervalSeconds: number): Promise<void> {
  observeDistribution(deps, intervalSeconds);
  await mesh.management({ database: () => deps.pool.query('select 1') });
  if (intervalSeconds > 0) {
    mesh.repeat('run-distribution', intervalSeconds, async () => {
      await runDistribution(deps);
    });
  }
  await mesh.serve(services(deps), 'DISTRIBUTION', publishedDetails(deps));
}
