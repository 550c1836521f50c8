import {
  RegistrationServiceService,
  TanServiceService,
  TeleTanServiceService,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { bind, type BoundService } from '../../lib/rpc/server.ts';
import { confirmTans } from './confirm-tans.ts';
import type { Deps } from './deps.ts';
import { getTestResults } from './get-test-results.ts';
import { issueTans } from './issue-tans.ts';
import { issueTeleTan } from './issue-tele-tan.ts';
import { registerTokens } from './register-tokens.ts';
import { releaseTans } from './release-tans.ts';
import { reserveTans } from './reserve-tans.ts';

/** Who may call is in `lib/rpc/communication-matrix.ts`. */
export const services = (d: Deps): BoundService[] => [
  bind('cwa.verification.v1.RegistrationService', RegistrationServiceService, {
    registerTokens: registerTokens(d),
    getTestResults: getTestResults(d),
    issueTans: issueTans(d),
  }),
  bind('cwa.verification.v1.TanService', TanServiceService, {
    reserveTans: reserveTans(d),
    confirmTans: confirmTans(d),
    releaseTans: releaseTans(d),
  }),
  bind('cwa.verification.v1.TeleTanService', TeleTanServiceService, { issueTeleTan: issueTeleTan(d) }),
];
