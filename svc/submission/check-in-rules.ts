import {
  type CheckIn,
  type CheckInProtectedReport,
  type SubmissionPayload,
  SubmissionType,
} from '../../gen/mesh/cwa/exposure/v1/submission_payload.ts';
import { PayloadRule } from '../../gen/mesh/cwa/submission/v1/submission.ts';

/** Most protected reports of one upload (decision 17). */
const maxProtectedReports = 100;

/** The rule that check-ins or their reports break, on either route; checked even though they are not stored (S 1.6). */
export function reportsRule(payload: SubmissionPayload): PayloadRule | undefined {
  if (!payload.checkIns.every(isCheckIn)) return PayloadRule.PAYLOAD_RULE_CHECK_IN;
  const reports = payload.checkInProtectedReports;
  if (reports.length > maxProtectedReports || !reports.every(isProtectedReport)) {
    return PayloadRule.PAYLOAD_RULE_CHECK_IN_PROTECTED_REPORT;
  }
  return undefined;
}

/** The rule that an organiser's upload breaks (S 1.7). */
export function onBehalfRule(payload: SubmissionPayload): PayloadRule | undefined {
  const warnsForOneEvent =
    payload.keys.length === 0 &&
    payload.visitedCountries.length === 0 &&
    payload.consentToFederation !== true &&
    payload.submissionType === SubmissionType.SUBMISSION_TYPE_HOST_WARNING &&
    distinct(payload.checkIns.map((checkIn) => checkIn.locationId)) <= 1 &&
    distinct(payload.checkInProtectedReports.map((report) => report.locationIdHash)) === 1;
  return warnsForOneEvent ? reportsRule(payload) : PayloadRule.PAYLOAD_RULE_ON_BEHALF;
}

function isCheckIn(checkIn: CheckIn): boolean {
  return (
    checkIn.transmissionRiskLevel >= 1 &&
    checkIn.transmissionRiskLevel <= 8 &&
    checkIn.locationId.length === 32 &&
    checkIn.startIntervalNumber > 0 &&
    checkIn.endIntervalNumber >= checkIn.startIntervalNumber
  );
}

function isProtectedReport(report: CheckInProtectedReport): boolean {
  return (
    report.locationIdHash.length === 32 &&
    report.iv.length === 16 &&
    report.encryptedCheckInRecord.length === 16 &&
    report.mac.length === 32
  );
}

function distinct(values: readonly Uint8Array[]): number {
  return new Set(values.map((value) => Buffer.from(value).toString('base64'))).size;
}
