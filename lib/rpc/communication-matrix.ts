/**
 * Who may call what: the one place from which gRPC authorization, the table in docs/architecture.md and (tested to be
 * equal) the network policies follow. A caller is the process name in its certificate's SAN `spiffe://cwa/<name>`.
 * Methods listed as idempotent may be repeated when the connection broke; nothing else is.
 */
export interface ServiceRule {
  /** `every`: each process of the mesh offers it. */
  readonly process: ProcessName | 'every';
  readonly callers: readonly ProcessName[];
  readonly idempotent: readonly string[];
}

export type ProcessName =
  | 'gateway'
  | 'submission'
  | 'verification'
  | 'test-result'
  | 'distribution'
  | 'portal'
  | 'scheduler'
  | 'prober'
  | 'ops-api';

export const communicationMatrix: Readonly<Record<string, ServiceRule>> = {
  'cwa.submission.v1.SubmissionService': { process: 'submission', callers: ['gateway'], idempotent: ['SubmitKeys'] },
  'cwa.submission.v1.DiagnosisKeyService': {
    process: 'submission',
    callers: ['distribution'],
    idempotent: ['StreamDiagnosisKeys'],
  },
  'cwa.submission.v1.ProbeKeyService': {
    process: 'submission',
    callers: ['distribution'],
    idempotent: ['ListProbeKeys'],
  },
  'cwa.verification.v1.RegistrationService': {
    process: 'verification',
    callers: ['gateway'],
    idempotent: ['GetTestResults'],
  },
  'cwa.verification.v1.TanService': {
    process: 'verification',
    callers: ['submission'],
    idempotent: ['ReserveTans', 'ConfirmTans', 'ReleaseTans'],
  },
  'cwa.verification.v1.TeleTanService': { process: 'verification', callers: ['portal'], idempotent: [] },
  'cwa.test_result.v1.LabResultService': {
    process: 'test-result',
    callers: ['gateway'],
    idempotent: ['StoreResults', 'LookUpResult', 'GetReceipts'],
  },
  'cwa.test_result.v1.TestResultService': {
    process: 'test-result',
    callers: ['verification'],
    idempotent: ['GetResults'],
  },
  'cwa.distribution.v1.DistributionService': {
    process: 'distribution',
    callers: ['scheduler'],
    idempotent: ['RunDistribution', 'GetDistributionReport'],
  },
  'cwa.metrics.v1.MetricsService': { process: 'every', callers: ['ops-api'], idempotent: ['GetMetrics'] },
};
