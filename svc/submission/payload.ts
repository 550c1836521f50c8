import { createHash } from 'node:crypto';
import { WireType } from '@bufbuild/protobuf/wire';
import { SubmissionPayload, SubmissionType } from '../../gen/mesh/cwa/exposure/v1/submission_payload.ts';
import { PayloadRule } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { hoursSinceEpoch } from '../../lib/exposure/intervals.ts';
import { filterOf, rejectionOf } from '../../lib/exposure/upload-rules.ts';
import { type FieldVisitor, readInner, readMessage } from '../../lib/exposure/wire-reader.ts';
import { type DiagnosisKey, toDiagnosisKey } from './diagnosis-key.ts';
import { onBehalfRule, reportsRule } from './check-in-rules.ts';

export interface PayloadSettings {
  readonly maxNumberOfKeys: number;
  readonly retentionDays: number;
  readonly originCountry: string;
  /** Accepted in visitedCountries. */
  readonly countries: ReadonlySet<string>;
}

/** An upload that broke no rule. */
export interface ParsedUpload {
  /** The organiser's route: an EVENT TAN pays for it. */
  readonly event: boolean;
  /** SHA-256 over the sorted key bytes, or report bytes on the organiser's route; says "the same upload again". */
  readonly contentHash: Buffer;
  /** Empty when every key was filtered away; that is no fault. */
  readonly keys: readonly DiagnosisKey[];
  /** Keys that were filtered away. */
  readonly dropped: number;
  readonly origin: string;
  /** Sorted, without repetitions, always with the origin (S 1.6). */
  readonly visitedCountries: readonly string[];
}

export interface RefusedUpload {
  readonly rule: PayloadRule;
}

/**
 * Reads what a phone uploaded and answers the first rule of S 1.6 or 1.7 that it breaks, or what is to be stored. Never
 * looks at the TAN: an invalid payload must not cost one.
 */
export function parseUpload(
  bytes: Uint8Array,
  onBehalf: boolean,
  nowSeconds: number,
  settings: PayloadSettings,
): ParsedUpload | RefusedUpload {
  const payload = decode(bytes);
  if (payload === undefined) return { rule: PayloadRule.PAYLOAD_RULE_UNPARSABLE };
  const rule = onBehalf ? onBehalfRule(payload) : brokenRule(payload, nowSeconds, settings);
  if (rule !== undefined) return { rule };
  return onBehalf ? organisersUpload(payload, settings) : phonesUpload(payload, nowSeconds, settings);
}

function brokenRule(
  payload: SubmissionPayload,
  nowSeconds: number,
  settings: PayloadSettings,
): PayloadRule | undefined {
  if (payload.keys.length < 1 || payload.keys.length > settings.maxNumberOfKeys)
    return PayloadRule.PAYLOAD_RULE_KEY_COUNT;
  for (const key of payload.keys) {
    const rule = rejectionOf(key, nowSeconds, settings);
    if (rule !== undefined) return PayloadRule[`PAYLOAD_RULE_${rule}`];
  }
  if (originOf(payload, settings) !== settings.originCountry) return PayloadRule.PAYLOAD_RULE_ORIGIN;
  if (!payload.visitedCountries.every((code) => settings.countries.has(code))) {
    return PayloadRule.PAYLOAD_RULE_VISITED_COUNTRIES;
  }
  return reportsRule(payload) ?? submissionTypeRule(payload, nowSeconds, settings);
}

/** With a TAN 0 to 2; a host warning carries no storable key (S 1.4, 1.6). */
function submissionTypeRule(
  { submissionType: type, keys }: SubmissionPayload,
  nowSeconds: number,
  settings: PayloadSettings,
): PayloadRule | undefined {
  const storable =
    type === SubmissionType.SUBMISSION_TYPE_PCR_TEST ||
    type === SubmissionType.SUBMISSION_TYPE_RAPID_TEST ||
    (type === SubmissionType.SUBMISSION_TYPE_HOST_WARNING &&
      keys.every((key) => filterOf(key, nowSeconds, settings) !== undefined));
  return storable ? undefined : PayloadRule.PAYLOAD_RULE_SUBMISSION_TYPE;
}

function phonesUpload(payload: SubmissionPayload, nowSeconds: number, settings: PayloadSettings): ParsedUpload {
  const kept = payload.keys.filter((key) => filterOf(key, nowSeconds, settings) === undefined);
  const facts = {
    submissionType: payload.submissionType,
    consentToFederation: payload.consentToFederation ?? false,
    submissionHour: hoursSinceEpoch(nowSeconds),
  };
  return {
    event: false,
    // Of all keys, also those that are filtered now: what is filtered changes with the time of a retry.
    contentHash: hashSorted(payload.keys.map((key) => key.keyData ?? new Uint8Array())),
    keys: kept.map((key) => toDiagnosisKey(key, facts)),
    dropped: payload.keys.length - kept.length,
    origin: settings.originCountry,
    visitedCountries: [...new Set([...payload.visitedCountries, settings.originCountry])].sort(),
  };
}

/** Check-in reports are validated and the TAN is spent, nothing more until presence tracing exists (decision 19). */
function organisersUpload(payload: SubmissionPayload, settings: PayloadSettings): ParsedUpload {
  return {
    event: true,
    // The location, not the reports' other bytes: apps draw a new iv on each try (S 1.9).
    contentHash: hashSorted(payload.checkInProtectedReports.map((report) => report.locationIdHash)),
    keys: [],
    dropped: 0,
    origin: settings.originCountry,
    visitedCountries: [settings.originCountry],
  };
}

function originOf(payload: SubmissionPayload, settings: PayloadSettings): string {
  const sent = payload.origin ?? '';
  return sent.trim() === '' ? settings.originCountry : sent;
}

function hashSorted(parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of [...parts].sort(Buffer.compare)) hash.update(part);
  return hash.digest();
}

const skip: FieldVisitor = (reader, field, type) => {
  reader.skip(type, field);
};
const innerMessages: ReadonlySet<number> = new Set([1, 6, 8]);

/**
 * The generated decoder stops silently at a tag of 0 and lets an inner message reach beyond its end; the shipped
 * servers refused both, so the bytes are walked strictly first.
 */
function decode(bytes: Uint8Array): SubmissionPayload | undefined {
  try {
    readMessage('submission payload', bytes, 0, (reader, field, type) => {
      if (type === WireType.LengthDelimited && innerMessages.has(field)) readInner(reader, type, skip);
      else skip(reader, field, type);
    });
    return SubmissionPayload.decode(bytes);
  } catch {
    return undefined;
  }
}
