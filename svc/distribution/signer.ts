import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { SIGNATURE_ALGORITHM, type SignatureInfo } from '../../lib/exposure/key-export.ts';
import { signDeterministic } from '../../lib/exposure/signature.ts';
import type { Secret } from '../../lib/process/secret.ts';

/** One active signing key. A file key here; a transit service may stand behind the same interface. */
export interface Signer {
  readonly info: SignatureInfo;
  /** Tells one key from another in the inventory: id, version and the beginning of the public key's hash. */
  readonly name: string;
  /** DER signature (ECDSA P-256, SHA-256) over the whole file. */
  sign(bin: Uint8Array): Promise<Buffer>;
}

export interface SignerNames {
  readonly keyId: string;
  readonly keyVersion: string;
  readonly appBundleId: string;
}

/**
 * Signs with a PEM key, with the nonce of RFC 6979 (decision 30).
 * @throws FormatError when it is not a P-256 private key
 */
export function pemSigner(pem: Secret, names: SignerNames): Signer {
  const { keyId, keyVersion, appBundleId } = names;
  // Proves the key at start-up rather than in the first run.
  signDeterministic(pem.reveal(), Buffer.alloc(0));
  const key = createPrivateKey(pem.reveal());
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const fingerprint = createHash('sha256').update(spki).digest('hex').slice(0, 16);
  return {
    info: {
      appBundleId,
      verificationKeyVersion: keyVersion,
      verificationKeyId: keyId,
      signatureAlgorithm: SIGNATURE_ALGORITHM,
    },
    name: `${keyId}-${keyVersion}-${fingerprint}`,
    sign: async (bin) => signDeterministic(key, bin),
  };
}
