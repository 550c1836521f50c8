import { createHash, createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { p256 } from '@noble/curves/nist.js';
import { FormatError } from './format-error.ts';

/** Longest DER signature of P-256: two INTEGERs of 33 octets (P V-4). */
const LONGEST_SIGNATURE = 72;

/**
 * Loads a public key given as SPKI PEM or as bare base64 of the SPKI (P V-5).
 * @throws FormatError when it cannot be read or is not a P-256 key
 */
export function loadPublicKey(spkiPemOrBase64: string): KeyObject {
  const text = spkiPemOrBase64.trim();
  let key: KeyObject;
  try {
    if (text.startsWith('-----')) key = createPublicKey(text);
    else {
      if (!/^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(text)) throw new TypeError('not base64');
      key = createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
    }
  } catch (error) {
    throw new FormatError('PUBLIC_KEY_UNREADABLE', 'public key', 'is neither SPKI PEM nor base64 of SPKI', undefined, {
      cause: error,
    });
  }
  assertP256(key, 'public key');
  return key;
}

/** ECDSA P-256 / SHA-256 over the whole file (P V-3, V-4). False for anything that is not a valid DER signature. */
export function verifySignature(key: string | KeyObject, bin: Uint8Array, der: Uint8Array): boolean {
  const publicKey = typeof key === 'string' ? loadPublicKey(key) : key;
  if (der.length === 0 || der.length > LONGEST_SIGNATURE) return false;
  return verify('sha256', bin, { key: publicKey, dsaEncoding: 'der' }, der);
}

/**
 * Signs with the nonce of RFC 6979: equal bytes give an equal signature, so a rebuilt archive is the same
 * archive (decision 30). Node itself always draws a random nonce.
 * @param privateKeyPem SEC1 or PKCS#8 PEM of a P-256 key
 * @returns DER
 */
export function signDeterministic(privateKeyPem: string | KeyObject, bin: Uint8Array): Buffer {
  const scalar = privateScalar(privateKeyPem);
  const digest = createHash('sha256').update(bin).digest();
  return Buffer.from(p256.sign(digest, scalar, { prehash: false, lowS: false, format: 'der' }));
}

function privateScalar(pem: string | KeyObject): Uint8Array {
  let key: KeyObject;
  try {
    key = typeof pem === 'string' ? createPrivateKey(pem) : pem;
  } catch (error) {
    throw new FormatError('PRIVATE_KEY_UNREADABLE', 'private key', 'is not a PEM key', undefined, { cause: error });
  }
  assertP256(key, 'private key');
  const { d } = key.export({ format: 'jwk' });
  if (d === undefined) throw new FormatError('PRIVATE_KEY_UNREADABLE', 'private key', 'has no private part');
  return Buffer.from(d, 'base64url');
}

function assertP256(key: KeyObject, part: string): void {
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new FormatError('KEY_CURVE', part, 'is not a key on the curve P-256');
  }
}
