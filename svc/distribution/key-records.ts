import type { CountrySet, StreamDiagnosisKeysResponse } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { SubmissionType } from '../../gen/mesh/cwa/exposure/v1/submission_payload.ts';
import { INTERVALS_PER_DAY } from '../../lib/exposure/intervals.ts';
import { bucketOf, type Bucket } from './country-bucket.ts';
import { releaseHour } from './release-hour.ts';
import type { PublishingRules } from './rules.ts';

/** Octets of one packed record: key 16, start 4, release hour 4, period 2, level 1, bucket 1 (bit 7: PCR row). */
export const RECORD_OCTETS = 28;
export const PCR_FLAG = 0x80;

export type IntakeRule = 'transmission-risk-level' | 'countries' | 'invalid';

/** Publishable keys of one stream, packed for the store, and how many were left out by which rule. */
export interface Intake {
  readonly records: readonly Buffer[];
  readonly excluded: Readonly<Record<IntakeRule, number>>;
  readonly keysRead: number;
  readonly nextCursor: bigint | undefined;
}

/**
 * Reads a whole stream before anything is stored: no RPC inside a transaction, and the cursor is known only at the
 * end. 28 octets a key, so that a country's fortnight (5 million) takes 140 MB once.
 */
export async function collectKeys(
  stream: AsyncIterable<StreamDiagnosisKeysResponse>,
  rules: PublishingRules,
): Promise<Intake> {
  const excluded: Record<IntakeRule, number> = { 'transmission-risk-level': 0, countries: 0, invalid: 0 };
  const buckets: Buckets = new Map();
  const records: Buffer[] = [];
  let keysRead = 0;
  let nextCursor: bigint | undefined;
  for await (const message of stream) {
    learnCountries(message.countrySets, buckets, rules);
    const packed = packRecords(message, buckets, rules, excluded);
    if (packed.length > 0) records.push(packed);
    keysRead += message.keyCount;
    nextCursor = message.nextCursor ?? nextCursor;
  }
  return { records, excluded, keysRead, nextCursor };
}

/** Bucket by country set; 0 is nowhere. */
type Buckets = Map<number, Bucket | 0>;

function learnCountries(sets: readonly CountrySet[], buckets: Buckets, rules: PublishingRules): void {
  for (const set of sets) buckets.set(set.id, bucketOf(set, rules) ?? 0);
}

function packRecords(
  message: StreamDiagnosisKeysResponse,
  buckets: Buckets,
  rules: PublishingRules,
  excluded: Record<IntakeRule, number>,
): Buffer {
  const out = Buffer.allocUnsafe(message.keyCount * RECORD_OCTETS);
  let at = 0;
  for (let i = 0; i < message.keyCount; i++) {
    const rollingStartIntervalNumber = message.rollingStartIntervalNumber.readInt32BE(4 * i);
    const rollingPeriod = message.rollingPeriod.readInt16BE(2 * i);
    const level = message.transmissionRiskLevel.readInt16BE(2 * i);
    const bucket = buckets.get(message.countrySet.readInt32BE(4 * i));
    // Dropping the key would lose it for ever.
    if (bucket === undefined) throw new Error('the key stream uses a country set that it did not send');
    if (rollingStartIntervalNumber <= 0 || rollingPeriod < 1 || rollingPeriod > INTERVALS_PER_DAY || level > 8)
      excluded.invalid++;
    else if (level < rules.minimumTransmissionRiskLevel) excluded['transmission-risk-level']++;
    else if (bucket === 0) excluded.countries++;
    else {
      const submissionHour = message.submissionHour.readInt32BE(4 * i);
      const isPcr = message.submissionType.readInt16BE(2 * i) === SubmissionType.SUBMISSION_TYPE_PCR_TEST;
      message.keyData.copy(out, at, 16 * i, 16 * i + 16);
      out.writeInt32BE(rollingStartIntervalNumber, at + 16);
      out.writeInt32BE(
        releaseHour({ rollingStartIntervalNumber, rollingPeriod }, submissionHour, rules.expiryMinutes),
        at + 20,
      );
      out.writeInt16BE(rollingPeriod, at + 24);
      out[at + 26] = level;
      out[at + 27] = isPcr ? bucket | PCR_FLAG : bucket;
      at += RECORD_OCTETS;
    }
  }
  return out.subarray(0, at);
}
