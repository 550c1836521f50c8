import { FormatError } from '../lib/exposure/format-error.ts';
import type { DecodedKeyExport } from '../lib/exposure/key-export-reader.ts';
import type { TrustedKeys } from '../lib/exposure/signature-list.ts';
import type { CachedPackage } from './package-cache.ts';
import { incompleteBatches, openKeyPackage, PackageError } from './package-check.ts';

/** A package that was downloaded, verified and matched in this session. */
export interface ReadPackage {
  path: string;
  etag: string;
  bytes: number;
  file: DecodedKeyExport;
}

export interface RejectedPackage {
  path: string;
  reason: string;
}

/** Verifies each package on its own: one that does not verify is rejected, its siblings go on (P V-9). */
export async function readPackages(
  unchecked: readonly CachedPackage[],
  trustedKeys: TrustedKeys,
): Promise<{ packages: ReadPackage[]; rejected: RejectedPackage[] }> {
  const read: ReadPackage[] = [];
  const rejected: RejectedPackage[] = [];
  for (const { path, etag, body } of unchecked) {
    const bytes = body ?? Buffer.alloc(0);
    try {
      read.push({ path, etag, bytes: bytes.length, file: await openKeyPackage(bytes, trustedKeys) });
    } catch (error) {
      if (!(error instanceof FormatError || error instanceof PackageError)) throw error;
      rejected.push({ path, reason: error.message });
    }
  }
  const torn = new Set(incompleteBatches(read.map(({ file }) => file)));
  for (const { path, file } of read) if (torn.has(file)) rejected.push({ path, reason: 'BATCH_INCOMPLETE' });
  return { packages: read.filter(({ file }) => !torn.has(file)), rejected };
}
