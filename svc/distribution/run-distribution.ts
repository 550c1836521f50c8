import type { DistributionServiceService } from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { RpcError } from '../../lib/rpc/errors.ts';
import { inTrace, isTraced } from '../../lib/telemetry/tracing.ts';
import type { Deps } from './deps.ts';
import { runDistribution as run } from './jobs/run.ts';

const nothingDone = { keysRead: 0, keysAssigned: 0, paddingKeys: 0, objectsPut: 0, objectsDeleted: 0, keysWaiting: 0 };

/**
 * A run that left something out is an error to the caller, although the rest is published. The run belongs to the trace
 * of the caller, or begins one.
 */
export const runDistribution =
  (d: Deps): Handlers<DistributionServiceService>['runDistribution'] =>
  async () => {
    const outcome = await (isTraced() ? run(d) : inTrace('RunDistribution', {}, () => run(d)));
    if (outcome === 'busy') return { ...nothingDone, alreadyRunning: true };
    const { failures, ...done } = outcome;
    if (failures > 0) throw new RpcError('INTERNAL', 'RUN_INCOMPLETE');
    return { ...done, alreadyRunning: false };
  };
