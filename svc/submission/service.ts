import { ProbeKeyServiceService } from '../../gen/mesh/cwa/submission/v1/probe_key.ts';
import { DiagnosisKeyServiceService, SubmissionServiceService } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { bind, type BoundService } from '../../lib/rpc/server.ts';
import type { Deps } from './deps.ts';
import { listProbeKeys } from './list-probe-keys.ts';
import { streamDiagnosisKeys } from './stream-diagnosis-keys.ts';
import { submitKeys } from './submit-keys.ts';

/** Who may call is in `lib/rpc/communication-matrix.ts`. */
export const services = (d: Deps): BoundService[] => [
  bind('cwa.submission.v1.SubmissionService', SubmissionServiceService, { submitKeys: submitKeys(d) }),
  bind('cwa.submission.v1.DiagnosisKeyService', DiagnosisKeyServiceService, {
    streamDiagnosisKeys: streamDiagnosisKeys(d),
  }),
  bind('cwa.submission.v1.ProbeKeyService', ProbeKeyServiceService, { listProbeKeys: listProbeKeys(d) }),
];
