import { create, toBinary } from '@bufbuild/protobuf';
import {
  TEKSignatureListSchema,
  TemporaryExposureKeyExportSchema,
} from '../../gen/edge/external/exposurenotification/temporary_exposure_key_export_pb.ts';
import { FormatError } from './format-error.ts';
import { type ExportKey, sortedByKeyData, writeKeys } from './key-writer.ts';

/** The 16 octets in front of the message of a key export (D 1.2): "EK Export v1" and four blanks. */
export const KEY_EXPORT_HEADER: Buffer = Buffer.from('EK Export v1    ', 'ascii');

/** ECDSA on P-256 with SHA-256, the only algorithm in use (D 1.3). */
export const SIGNATURE_ALGORITHM = '1.2.840.10045.4.3.2';

/** Names the key of one signature; the same in `export.bin` and `export.sig` (D 1.3). */
export interface SignatureInfo {
  appBundleId?: string;
  androidPackage?: string;
  verificationKeyVersion?: string;
  verificationKeyId?: string;
  signatureAlgorithm?: string;
}

/** What goes into one `export.bin`. Times are seconds since 1970 UTC, `end` is exclusive. */
export interface KeyExport {
  start: number;
  end: number;
  region: string;
  batchNum: number;
  batchSize: number;
  signatureInfos: readonly SignatureInfo[];
  keys: readonly ExportKey[];
}

export interface SignatureEntry {
  signatureInfo?: SignatureInfo;
  batchNum?: number;
  batchSize?: number;
  signature?: Uint8Array;
}

/**
 * Writes `export.bin`: header, then the message with keys ascending by key data and all six key fields
 * (D 1.2, 1.4). Duplicates are the caller's matter. The keys are written by hand (same bytes as protobuf-es,
 * four times as fast): a day may hold 600,000 of them.
 */
export function encodeKeyExport({ keys, ...head }: KeyExport): Buffer {
  return encodeSortedKeyExport(head, sortedByKeyData(keys), keys.length);
}

/**
 * As `encodeKeyExport`, for more keys than should stand in memory as objects.
 * @param keys ascending by key data; the same object may be handed out for each
 * @param most upper bound of their number
 */
export function encodeSortedKeyExport(file: Omit<KeyExport, 'keys'>, keys: Iterable<ExportKey>, most: number): Buffer {
  for (const [name, seconds] of [
    ['start', file.start],
    ['end', file.end],
  ] as const) {
    if (!Number.isSafeInteger(seconds) || seconds < 0) {
      throw new FormatError('VALUE_OUT_OF_RANGE', 'export.bin', `${name} is not a time in whole seconds`);
    }
  }
  const head = toBinary(
    TemporaryExposureKeyExportSchema,
    create(TemporaryExposureKeyExportSchema, {
      startTimestamp: BigInt(file.start),
      endTimestamp: BigInt(file.end),
      region: file.region,
      batchNum: file.batchNum,
      batchSize: file.batchSize,
      signatureInfos: [...file.signatureInfos],
    }),
  );
  return Buffer.concat([KEY_EXPORT_HEADER, head, writeKeys(keys, most)]);
}

/** Writes `export.sig` (D 1.3). */
export function encodeSignatureList(signatures: readonly SignatureEntry[]): Buffer {
  return Buffer.from(
    toBinary(
      TEKSignatureListSchema,
      create(TEKSignatureListSchema, { signatures: signatures.map((entry) => ({ ...entry })) }),
    ),
  );
}
