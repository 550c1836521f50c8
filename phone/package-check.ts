import type { KeyObject } from 'node:crypto';
import { type ConfigAndroid, type ConfigV1, decodeConfigAndroid, decodeConfigV1 } from '../lib/exposure/app-config.ts';
import { openArchive } from '../lib/exposure/export-archive.ts';
import { type DecodedKeyExport, decodeKeyExport, decodeSignatureList } from '../lib/exposure/key-export-reader.ts';
import {
  type SignatureFault,
  type TrustedKeys,
  verifyAnySignature,
  verifySignatureList,
} from '../lib/exposure/signature-list.ts';

const LARGEST_BATCH_SIZE = 1_000_000;

/** A package whose form is right but whose signatures or numbers are not. */
export class PackageError extends Error {
  readonly reason: SignatureFault;

  constructor(reason: SignatureFault) {
    super(`the package is not accepted: ${reason}`);
    this.name = 'PackageError';
    this.reason = reason;
  }
}

/**
 * Opens a key package: container, signature, and only then the keys (P V-1 to V-9).
 * @throws FormatError for a wrong form, PackageError for wrong signatures
 */
export async function openKeyPackage(zip: Uint8Array, trusted: TrustedKeys): Promise<DecodedKeyExport> {
  const { bin, sig } = await openArchive(zip);
  const signatures = decodeSignatureList(sig);
  const verdict = verifySignatureList(bin, signatures, trusted);
  if (!verdict.ok) throw new PackageError(verdict.reason);
  const file = decodeKeyExport(bin);
  if (file.signatureInfos.length !== signatures.length) throw new PackageError('COUNT_DIFFERS');
  assertBatch(file);
  return file;
}

/** Opens the v2 configuration of Android: any trusted key, any listed signature, no header (P V-2, V-10). */
export async function openAndroidConfiguration(zip: Uint8Array, keys: Iterable<KeyObject>): Promise<ConfigAndroid> {
  return decodeConfigAndroid(await openSigned(zip, keys));
}

/** Opens the v1 configuration, likewise. */
export async function openConfigurationV1(zip: Uint8Array, keys: Iterable<KeyObject>): Promise<ConfigV1> {
  return decodeConfigV1(await openSigned(zip, keys));
}

/** Files of which other parts are missing in this session; each file of such a set is refused (P V-7). */
export function incompleteBatches<F extends DecodedKeyExport>(files: readonly F[]): F[] {
  const sets = Map.groupBy(files, ({ start, end, region, batchSize }) =>
    JSON.stringify([start, end, region, batchSize]),
  );
  return [...sets.values()].flatMap((set) => {
    const size = set[0]?.batchSize ?? 0;
    const numbers = new Set(set.map(({ batchNum }) => batchNum));
    return size > 1 && numbers.size < size ? set : [];
  });
}

async function openSigned(zip: Uint8Array, keys: Iterable<KeyObject>): Promise<Buffer> {
  const { bin, sig } = await openArchive(zip);
  const signatures = decodeSignatureList(sig);
  if (signatures.length === 0) throw new PackageError('NO_SIGNATURE');
  if (!verifyAnySignature(bin, signatures, keys)) throw new PackageError('INVALID_SIGNATURE');
  return bin;
}

function assertBatch({ batchNum, batchSize }: DecodedKeyExport): void {
  if (batchSize === undefined || batchSize === 0) return;
  const fits =
    batchSize > 0 &&
    batchSize <= LARGEST_BATCH_SIZE &&
    batchNum !== undefined &&
    batchNum >= 1 &&
    batchNum <= batchSize;
  if (!fits) throw new PackageError('BATCH_INCOMPLETE');
}
