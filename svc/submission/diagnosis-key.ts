import { completeRiskFields, REPORT_TYPE } from '../../lib/exposure/risk-level.ts';
import { INTERVALS_PER_DAY } from '../../lib/exposure/intervals.ts';
import type { UploadedKey } from '../../lib/exposure/upload-rules.ts';
import type { SubmissionType } from '../../gen/mesh/cwa/exposure/v1/submission_payload.ts';
import type { Random } from '../../lib/random/random.ts';

/** A key that passed every rule, complete, as it is stored. */
export interface DiagnosisKey {
  readonly keyData: Uint8Array;
  readonly submissionType: SubmissionType;
  readonly rollingStartIntervalNumber: number;
  readonly rollingPeriod: number;
  readonly transmissionRiskLevel: number;
  readonly daysSinceOnsetOfSymptoms: number;
  readonly reportType: number;
  readonly consentToFederation: boolean;
  /** Whole hours since 1970 UTC. */
  readonly submissionHour: number;
}

/** What all keys of an upload share. */
export type UploadFacts = Pick<DiagnosisKey, 'submissionType' | 'consentToFederation' | 'submissionHour'>;

/** Completes a key that broke no rule: period, the risk field that is missing, report type (S 1.6). */
export function toDiagnosisKey(
  key: UploadedKey & { readonly reportType?: number | undefined },
  facts: UploadFacts,
): DiagnosisKey {
  const risk = completeRiskFields(key);
  if (risk === undefined || key.keyData === undefined || key.rollingStartIntervalNumber === undefined) {
    throw new TypeError('the key was not validated');
  }
  return {
    keyData: key.keyData,
    rollingStartIntervalNumber: key.rollingStartIntervalNumber,
    rollingPeriod: key.rollingPeriod ?? INTERVALS_PER_DAY,
    reportType: storedReportType(key.reportType),
    ...risk,
    ...facts,
  };
}

/** A phone may not send REVOKED or RECURSIVE: anything but 1 to 3 is a confirmed test (S 1.6 [D]). */
function storedReportType(sent: number | undefined): number {
  return sent === undefined || sent < REPORT_TYPE.confirmedTest || sent > REPORT_TYPE.selfReport
    ? REPORT_TYPE.confirmedTest
    : sent;
}

/**
 * Adds `multiplier` − 1 random keys for each key, equal in everything but the key itself and the consent: a random key
 * is never federated (S 1.10 [D]).
 */
export function withPadding(keys: readonly DiagnosisKey[], multiplier: number, random: Random): DiagnosisKey[] {
  if (multiplier === 1) return [...keys];
  return keys.flatMap((key) => [
    key,
    ...Array.from({ length: multiplier - 1 }, () => ({
      ...key,
      keyData: random.bytes(16),
      consentToFederation: false,
    })),
  ]);
}
