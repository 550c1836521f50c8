import { DistributionServiceService } from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import { bind, type BoundService } from '../../lib/rpc/server.ts';
import type { Deps } from './deps.ts';
import { getDistributionReport } from './get-distribution-report.ts';
import { runDistribution } from './run-distribution.ts';

/** Who may call is in `lib/rpc/communication-matrix.ts`. */
export const services = (d: Deps): BoundService[] => [
  bind('cwa.distribution.v1.DistributionService', DistributionServiceService, {
    runDistribution: runDistribution(d),
    getDistributionReport: getDistributionReport(d),
  }),
];
