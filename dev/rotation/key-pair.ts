import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TrustedKeys, trustedKeys } from '../../lib/exposure/signature-list.ts';

/** A signing key of the rehearsal, and what a phone knows that trusts it alone. */
export interface RehearsalKey {
  readonly version: string;
  readonly file: string;
  readonly trusted: TrustedKeys;
}

export function makeKey(folder: string, version: string): RehearsalKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const file = join(folder, `signing-${version}.pem`);
  writeFileSync(file, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  const spki = publicKey.export({ type: 'spki', format: 'pem' });
  return { version, file, trusted: trustedKeys({ [`262-${version}`]: spki }) };
}

/** Settings of distribution that sign with `newest` and, during the overlap, with `previous` too. */
export function signingEnv(newest: RehearsalKey, previous?: RehearsalKey): Record<string, string> {
  return {
    DISTRIBUTION_SIGNING_KEY_FILE: newest.file,
    DISTRIBUTION_SIGNING_KEY_VERSION: newest.version,
    DISTRIBUTION_PREVIOUS_SIGNING_KEY_FILE: previous?.file ?? '',
    DISTRIBUTION_PREVIOUS_SIGNING_KEY_VERSION: previous?.version ?? '',
  };
}
