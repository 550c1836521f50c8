import { timingSafeEqual } from 'node:crypto';
import {
  PayloadRule,
  type SubmissionServiceService,
  type Upload,
  type UploadOutcome,
  UploadStatus,
} from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import type { Deps } from './deps.ts';
import { type ParsedUpload, parseUpload } from './payload.ts';
import { type Claim, spendTans } from './spend-tans.ts';
import { uploadCounts } from './upload-counts.ts';

/**
 * Takes a list of uploads: parses all, then spends their TANs and stores them together (docs/architecture.md, "Spending
 * a TAN"). Each upload has an outcome of its own; nothing that goes wrong with one touches another.
 */
export const submitKeys = (d: Deps): Handlers<SubmissionServiceService>['submitKeys'] => {
  const count = uploadCounts(d.metrics);
  return async ({ uploads }, call) => {
    const nowSeconds = Math.floor(d.clock.nowMs() / 1000);
    const settings = { ...d.config, countries: d.countries.accepted() };
    const claims: Claim[] = [];

    const pending = uploads.map((upload): Claim | UploadOutcome => {
      const parsed = parseUpload(upload.payload, upload.onBehalf, nowSeconds, settings);
      if ('rule' in parsed) return outcome(UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD, parsed.rule);
      // Before a TAN is spent: keys that another secret made would be published among those of people (decision 35).
      if (call.synthetic && !parsed.keys.every(({ keyData }) => d.isProbeKey(keyData)))
        return outcome(UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD);
      const tan = canonicalTan(upload);
      // A malformed TAN never leaves this process (S 1.9 trap a).
      if (tan === undefined) return outcome(UploadStatus.UPLOAD_STATUS_TAN_REFUSED);
      return claimFor(claims, tan, parsed);
    });

    await spendTans(d, claims, nowSeconds, call);

    const outcomes = pending.map((item) => ('tan' in item ? outcome(item.status) : item));
    if (!call.synthetic) outcomes.forEach(({ status }, i) => count(uploads[i]?.onBehalf ?? false, status));
    return { outcomes };
  };
};

/** The same upload twice in one list (phones send each POST up to twice) is one claim. */
function claimFor(claims: Claim[], tan: string, upload: ParsedUpload): Claim {
  const same = claims.find(
    (claim) =>
      claim.tan === tan &&
      claim.upload.event === upload.event &&
      timingSafeEqual(claim.upload.contentHash, upload.contentHash),
  );
  if (same !== undefined) return same;
  const claim: Claim = { tan, upload, rounds: 0, status: UploadStatus.UPLOAD_STATUS_UNAVAILABLE };
  claims.push(claim);
  return claim;
}

/** Letter case and surrounding blanks are not the phone's fault; the original took both. */
function canonicalTan({ tan }: Upload): string | undefined {
  const canonical = tan.trim().toLowerCase();
  return UUID_PATTERN.test(canonical) ? canonical : undefined;
}

/** Check-ins are neither stored nor filtered before presence tracing exists (decision 19), so both numbers are 0. */
function outcome(status: UploadStatus, rule: PayloadRule = PayloadRule.PAYLOAD_RULE_UNSPECIFIED): UploadOutcome {
  return { status, rule, filteredCheckIns: 0, savedCheckIns: 0 };
}
