import { KeyType, type Registration } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { HASHED_GUID_PATTERN, HASHED_ID_PATTERN, TELE_TAN_PATTERN } from '../../lib/exposure/token-format.ts';
import type { Secret } from '../../lib/process/secret.ts';
import { storedHash, teleTanHash } from './stored-hash.ts';

/** A registration that cannot be wrong in form. */
export type ParsedRegistration =
  | {
      readonly kind: 'guid';
      readonly hashedGuid: string;
      readonly hashedGuidDob: string | null;
      /** What must not have been registered before, by whomever, under either name. */
      readonly hashes: readonly Buffer[];
    }
  | { readonly kind: 'tele-tan'; readonly hash: Buffer };

/** S 2.2; hashes in any letter case mean the same test (S 2.8 [D]). */
export function parseRegistration(registration: Registration, pepper: Secret): ParsedRegistration | undefined {
  const { keyType, key, keyDob } = registration;
  if (keyType === KeyType.KEY_TYPE_TELETAN) {
    return TELE_TAN_PATTERN.test(key) ? { kind: 'tele-tan', hash: teleTanHash(pepper, key) } : undefined;
  }
  if (keyType !== KeyType.KEY_TYPE_GUID || !HASHED_GUID_PATTERN.test(key)) return undefined;
  if (keyDob !== '' && !HASHED_ID_PATTERN.test(keyDob)) return undefined;
  const hashedGuid = key.toLowerCase();
  const dob = keyDob.toLowerCase();
  // The GUID's own hash sent as the one with date of birth says nothing more.
  const hashedGuidDob = dob === '' || dob === hashedGuid ? null : dob;
  const hashes = [hashedGuid, ...(hashedGuidDob === null ? [] : [hashedGuidDob])].map(storedHash);
  return { kind: 'guid', hashedGuid, hashedGuidDob, hashes };
}
