import type { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { FormatError } from './format-error.ts';
import { KEY_EXPORT_HEADER, type SignatureEntry, type SignatureInfo } from './key-export.ts';
import { readFixed64, readInner, readInt32, readMessage, readOctets, readSint32, readText } from './wire-reader.ts';

/** A key as it was read; what was absent stays undefined, because absent is not zero (P 0.4). */
export interface DecodedKey {
  keyData?: Buffer;
  transmissionRiskLevel?: number;
  rollingStartIntervalNumber?: number;
  /** Absent means 144. */
  rollingPeriod?: number;
  /** Any number that was written, also one the enum does not know. */
  reportType?: number;
  daysSinceOnsetOfSymptoms?: number;
}

export interface DecodedKeyExport {
  start?: number;
  end?: number;
  region?: string;
  batchNum?: number;
  batchSize?: number;
  signatureInfos: SignatureInfo[];
  keys: DecodedKey[];
  revisedKeys: DecodedKey[];
}

/**
 * Reads `export.bin` of a key package (P V-2, V-8). Not the generated reader: that one hides unknown numbers
 * of a closed enum (report type 6 would read as absent, against P M-2) and cannot say at which byte it failed.
 * @throws FormatError with the byte in the file
 */
export function decodeKeyExport(bin: Uint8Array): DecodedKeyExport {
  const header = KEY_EXPORT_HEADER.length;
  const wrong = KEY_EXPORT_HEADER.findIndex((octet, i) => bin[i] !== octet);
  if (wrong >= 0) throw new FormatError('EXPORT_HEADER', 'export.bin', 'does not start with "EK Export v1    "', wrong);
  const file: DecodedKeyExport = { signatureInfos: [], keys: [], revisedKeys: [] };
  readMessage('export.bin', bin, header, (reader, field, type) => {
    switch (field) {
      case 1:
        file.start = readFixed64(reader, type);
        break;
      case 2:
        file.end = readFixed64(reader, type);
        break;
      case 3:
        file.region = readText(reader, type);
        break;
      case 4:
        file.batchNum = readInt32(reader, type);
        break;
      case 5:
        file.batchSize = readInt32(reader, type);
        break;
      case 6:
        file.signatureInfos.push(readSignatureInfo(reader, type));
        break;
      case 7:
        file.keys.push(readKey(reader, type));
        break;
      case 8:
        file.revisedKeys.push(readKey(reader, type));
        break;
      default:
        reader.skip(type, field);
    }
  });
  return file;
}

/**
 * Reads `export.sig` (D 1.3).
 * @throws FormatError with the byte in the file
 */
export function decodeSignatureList(sig: Uint8Array): SignatureEntry[] {
  const entries: SignatureEntry[] = [];
  readMessage('export.sig', sig, 0, (reader, field, type) => {
    if (field !== 1) return void reader.skip(type, field);
    const entry: SignatureEntry = {};
    readInner(reader, type, (inner, no, wire) => {
      switch (no) {
        case 1:
          entry.signatureInfo = readSignatureInfo(inner, wire);
          break;
        case 2:
          entry.batchNum = readInt32(inner, wire);
          break;
        case 3:
          entry.batchSize = readInt32(inner, wire);
          break;
        case 4:
          entry.signature = readOctets(inner, wire);
          break;
        default:
          inner.skip(wire, no);
      }
    });
    entries.push(entry);
  });
  return entries;
}

function readSignatureInfo(reader: BinaryReader, type: WireType): SignatureInfo {
  const info: SignatureInfo = {};
  readInner(reader, type, (inner, field, wire) => {
    switch (field) {
      case 1:
        info.appBundleId = readText(inner, wire);
        break;
      case 2:
        info.androidPackage = readText(inner, wire);
        break;
      case 3:
        info.verificationKeyVersion = readText(inner, wire);
        break;
      case 4:
        info.verificationKeyId = readText(inner, wire);
        break;
      case 5:
        info.signatureAlgorithm = readText(inner, wire);
        break;
      default:
        inner.skip(wire, field);
    }
  });
  return info;
}

function readKey(reader: BinaryReader, type: WireType): DecodedKey {
  const key: DecodedKey = {};
  readInner(reader, type, (inner, field, wire) => {
    switch (field) {
      case 1:
        key.keyData = readOctets(inner, wire);
        break;
      case 2:
        key.transmissionRiskLevel = readInt32(inner, wire);
        break;
      case 3:
        key.rollingStartIntervalNumber = readInt32(inner, wire);
        break;
      case 4:
        key.rollingPeriod = readInt32(inner, wire);
        break;
      case 5:
        key.reportType = readInt32(inner, wire);
        break;
      case 6:
        key.daysSinceOnsetOfSymptoms = readSint32(inner, wire);
        break;
      default:
        inner.skip(wire, field);
    }
  });
  return key;
}
