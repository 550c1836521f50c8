import { LabResultServiceService, TestResultServiceService } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { bind, type BoundService } from '../../lib/rpc/server.ts';
import type { Deps } from './deps.ts';
import { getReceipts } from './get-receipts.ts';
import { getResults } from './get-results.ts';
import { lookUpResult } from './look-up-result.ts';
import { storeResults } from './store-results.ts';

/** Who may call is in `lib/rpc/communication-matrix.ts`. */
export const services = (d: Deps): BoundService[] => [
  bind('cwa.test_result.v1.LabResultService', LabResultServiceService, {
    storeResults: storeResults(d),
    lookUpResult: lookUpResult(d),
    getReceipts: getReceipts(d),
  }),
  bind('cwa.test_result.v1.TestResultService', TestResultServiceService, { getResults: getResults(d) }),
];
