import type { KeyObject } from 'node:crypto';
import { SIGNATURE_ALGORITHM, type SignatureEntry } from './key-export.ts';
import { loadPublicKey, verifySignature } from './signature.ts';

/** Public keys by name `<id>-<version>`, and the sets of names of which one must verify completely (P V-5, V-6). */
export interface TrustedKeys {
  keys: ReadonlyMap<string, KeyObject>;
  sets: readonly (readonly string[])[];
}

export type SignatureFault =
  | 'NO_SIGNATURE'
  | 'KEY_ID_MISSING'
  | 'UNKNOWN_KEYS'
  | 'ALGORITHM'
  | 'INVALID_SIGNATURE'
  | 'COUNT_DIFFERS'
  | 'BATCH_INCOMPLETE';

export type SignatureVerdict = { ok: true; keyNames: readonly string[] } | { ok: false; reason: SignatureFault };

/**
 * Trusted keys from SPKI texts by name; without `sets` each key alone suffices (rotation: either key).
 * @throws FormatError when a key cannot be read
 */
export function trustedKeys(
  spkiByName: Readonly<Record<string, string>>,
  sets?: readonly (readonly string[])[],
): TrustedKeys {
  const keys = new Map(Object.entries(spkiByName).map(([name, spki]) => [name, loadPublicKey(spki)]));
  return { keys, sets: sets ?? [...keys.keys()].map((name) => [name]) };
}

/** Whether `bin` is signed by one complete set of trusted keys; signatures of unknown keys are ignored (P V-4..V-6). */
export function verifySignatureList(
  bin: Uint8Array,
  signatures: readonly SignatureEntry[],
  trusted: TrustedKeys,
): SignatureVerdict {
  if (signatures.length === 0) return fault('NO_SIGNATURE');
  const named = nameSignatures(signatures, trusted);
  if (named === undefined) return fault('KEY_ID_MISSING');
  const known = named.filter(({ name }) => trusted.keys.has(name));
  if (known.length === 0) return fault('UNKNOWN_KEYS');
  const usable = known.filter(({ entry }) => entry.signatureInfo?.signatureAlgorithm === SIGNATURE_ALGORITHM);
  if (usable.length === 0) return fault('ALGORITHM');
  const valid = new Set(
    usable
      .filter(({ name, entry }) =>
        verifySignature(trusted.keys.get(name) as KeyObject, bin, entry.signature ?? new Uint8Array()),
      )
      .map(({ name }) => name),
  );
  const set = trusted.sets.find((names) => names.length > 0 && names.every((name) => valid.has(name)));
  return set === undefined ? fault('INVALID_SIGNATURE') : { ok: true, keyNames: set };
}

/** Configuration packages: any trusted key verifies any listed signature; names do not matter (P V-10). */
export function verifyAnySignature(
  bin: Uint8Array,
  signatures: readonly SignatureEntry[],
  keys: Iterable<KeyObject>,
): boolean {
  return [...keys].some((key) =>
    signatures.some(({ signature }) => signature !== undefined && verifySignature(key, bin, signature)),
  );
}

/** Undefined when a key id is missing where the rule does not allow it (P V-5). */
function nameSignatures(
  signatures: readonly SignatureEntry[],
  trusted: TrustedKeys,
): { name: string; entry: SignatureEntry }[] | undefined {
  const named: { name: string; entry: SignatureEntry }[] = [];
  for (const entry of signatures) {
    const { verificationKeyId: id, verificationKeyVersion: version } = entry.signatureInfo ?? {};
    if (id !== undefined && id !== '') {
      named.push({ name: `${id}-${version ?? ''}`, entry });
      continue;
    }
    const only = trusted.keys.size === 1 ? [...trusted.keys.keys()][0] : undefined;
    if (signatures.length > 1 || only === undefined) return undefined;
    named.push({ name: only, entry });
  }
  return named;
}

function fault(reason: SignatureFault): SignatureVerdict {
  return { ok: false, reason };
}
