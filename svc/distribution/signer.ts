import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { SIGNATURE_ALGORITHM, type SignatureInfo } from '../../lib/exposure/key-export.ts';
import { signDeterministic } from '../../lib/exposure/signature.ts';
import { ConfigError } from '../../lib/process/config.ts';
import type { Secret } from '../../lib/process/secret.ts';

/** One active signing key: a PEM file, or a key of a transit service (`transit-signer.ts`). */
export interface Signer {
  readonly info: SignatureInfo;
  /** Tells one key from another in the inventory: id, version and the beginning of the public key's hash. */
  readonly name: string;
  /** DER signature (ECDSA P-256, SHA-256) over the whole file; throws SigningError when the key cannot be used now. */
  sign(bin: Uint8Array): Promise<Buffer>;
}

export interface SignerNames {
  readonly keyId: string;
  readonly keyVersion: string;
  readonly appBundleId: string;
}

/** A signature could not be had. The message names the setting to look at, never a secret. */
export class SigningError extends Error {
  readonly reason: string;
  readonly setting: string;
  /** The same request may succeed in a moment. */
  readonly mayPass: boolean;

  constructor(reason: string, setting: string, what: string, mayPass = false) {
    super(`${setting}: ${what}`);
    this.name = 'SigningError';
    this.reason = reason;
    this.setting = setting;
    this.mayPass = mayPass;
  }
}

/** What a signer with this public key is called in files and in the inventory. */
export function signerIdentity(publicKey: KeyObject, names: SignerNames): Pick<Signer, 'info' | 'name'> {
  const { keyId, keyVersion, appBundleId } = names;
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const fingerprint = createHash('sha256').update(spki).digest('hex').slice(0, 16);
  return {
    info: {
      appBundleId,
      verificationKeyVersion: keyVersion,
      verificationKeyId: keyId,
      signatureAlgorithm: SIGNATURE_ALGORITHM,
    },
    name: `${keyId}-${keyVersion}-${fingerprint}`,
  };
}

/**
 * Signs with a PEM key, with the nonce of RFC 6979 (decision 30).
 * @throws FormatError when it is not a P-256 private key
 */
export function pemSigner(pem: Secret, names: SignerNames): Signer {
  // Proves the key at start-up rather than in the first run.
  signDeterministic(pem.reveal(), Buffer.alloc(0));
  const key = createPrivateKey(pem.reveal());
  return { ...signerIdentity(createPublicKey(key), names), sign: async (bin) => signDeterministic(key, bin) };
}

/** Has every key sign once, so that a wrong one ends the start and not the first run. Throws ConfigError. */
export async function proveSigners(signers: readonly Signer[]): Promise<void> {
  const results = await Promise.allSettled(signers.map((signer) => signer.sign(Buffer.from('start-up'))));
  const faults: string[] = [];
  for (const result of results) {
    if (result.status === 'fulfilled') continue;
    if (!(result.reason instanceof SigningError)) throw result.reason;
    faults.push(result.reason.message);
  }
  if (faults.length > 0) throw new ConfigError([...new Set(faults)]);
}
