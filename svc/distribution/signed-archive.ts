import { contentHash } from '../../lib/exposure/content-hash.ts';
import { packArchive } from '../../lib/exposure/export-archive.ts';
import { encodeSignatureList, type SignatureInfo } from '../../lib/exposure/key-export.ts';
import type { Signer } from './signer.ts';

export interface SignedArchive {
  readonly zip: Buffer;
  /** Of `export.bin` alone, so that a signature never makes an archive look changed (D 2.8). */
  readonly contentHash: string;
  readonly signedBy: string;
}

/** Newest key first, as many as there are signatures (D 1.3, decision 29). */
export const signatureInfos = (signers: readonly Signer[]): SignatureInfo[] => signers.map(({ info }) => info);

export const signedBy = (signers: readonly Signer[]): string => signers.map(({ name }) => name).join(' ');

/** Signs `bin` with every active key and packs both files. */
export async function signArchive(bin: Uint8Array, signers: readonly Signer[]): Promise<SignedArchive> {
  const signatures = await Promise.all(
    signers.map(async (signer) => ({
      signatureInfo: signer.info,
      batchNum: 1,
      batchSize: 1,
      signature: await signer.sign(bin),
    })),
  );
  return {
    zip: await packArchive(bin, encodeSignatureList(signatures)),
    contentHash: contentHash(bin),
    signedBy: signedBy(signers),
  };
}
