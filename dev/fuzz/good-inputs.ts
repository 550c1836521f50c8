import { generateKeyPairSync } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { SubmissionPayloadSchema, SubmissionType } from '../../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { packArchive } from '../../lib/exposure/export-archive.ts';
import { encodeKeyExport, encodeSignatureList, SIGNATURE_ALGORITHM } from '../../lib/exposure/key-export.ts';
import { signDeterministic } from '../../lib/exposure/signature.ts';
import { buildConfiguration } from '../../svc/distribution/app-config/build.ts';
import { defaultConfiguration, placeholderDigest } from '../../svc/distribution/app-config/source.ts';
import { marker } from './target.ts';

const octets = (length: number, start: number) => Uint8Array.from({ length }, (_, i) => (start + i * 7) & 0xff);

/** Uploads that break no rule at `nowSeconds`: few keys, all keys, and an organiser's. */
export function goodUploads(nowSeconds: number): Buffer[] {
  const today = Math.floor(nowSeconds / 86_400) * 144;
  const keys = (count: number) =>
    Array.from({ length: count }, (_, age) => ({
      keyData: octets(16, age * 31),
      transmissionRiskLevel: 1 + (age % 8),
      rollingStartIntervalNumber: today - 144 * age,
      rollingPeriod: 144,
      daysSinceOnsetOfSymptoms: 3 - age,
    }));
  const report = {
    locationIdHash: octets(32, 5),
    iv: octets(16, 1),
    encryptedCheckInRecord: octets(16, 2),
    mac: octets(32, 3),
  };
  const checkIn = {
    locationId: octets(32, 5),
    startIntervalNumber: today,
    endIntervalNumber: today + 6,
    transmissionRiskLevel: 5,
  };
  const meta = { visitedCountries: ['DE', 'FR'], consentToFederation: true };
  return [
    create(SubmissionPayloadSchema, { keys: keys(2), requestPadding: Buffer.from(marker.repeat(8)), ...meta }),
    create(SubmissionPayloadSchema, { keys: keys(15), origin: 'DE', submissionType: 1, ...meta }),
    create(SubmissionPayloadSchema, { keys: keys(1), checkIns: [checkIn], checkInProtectedReports: [report] }),
    create(SubmissionPayloadSchema, {
      submissionType: SubmissionType.HOST_WARNING,
      checkInProtectedReports: [report],
    }),
  ].map((payload) => Buffer.from(toBinary(SubmissionPayloadSchema, payload)));
}

/** A key package as distribution signs it, in its parts, and what verifies it. */
export async function goodPackage() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const info = { verificationKeyVersion: 'v1', verificationKeyId: '262', signatureAlgorithm: SIGNATURE_ALGORITHM };
  const keys = Array.from({ length: 20 }, (_, i) => ({
    keyData: octets(16, i * 11),
    transmissionRiskLevel: 3,
    rollingStartIntervalNumber: 2_700_000,
    rollingPeriod: 144,
    reportType: 1,
    daysSinceOnsetOfSymptoms: -2,
  }));
  const times = { start: 1_600_000_000, end: 1_600_003_600 };
  const bin = encodeKeyExport({ ...times, region: 'DE', batchNum: 1, batchSize: 1, signatureInfos: [info], keys });
  const signature = signDeterministic(privateKey, bin);
  const sig = encodeSignatureList([{ signatureInfo: info, batchNum: 1, batchSize: 1, signature }]);
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' });
  return { bin, sig, signature, publicPem, zip: await packArchive(bin, sig) };
}

export const goodConfigurations = () =>
  buildConfiguration(defaultConfiguration(placeholderDigest), { supportedCountries: ['DE', 'FR'] });
