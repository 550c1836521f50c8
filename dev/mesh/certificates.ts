import { generateKeyPairSync, createPublicKey, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Secrets of a local run that are not certificates; made once, kept in the home. */
export function makeLocalSecrets(home: string): { signingKeyFile: string; pepperFile: string } {
  const pki = join(home, 'pki');
  const secrets = join(home, 'secrets');
  mkdirSync(pki, { recursive: true });
  mkdirSync(secrets, { recursive: true, mode: 0o700 });
  const signingKeyFile = join(secrets, 'export-private.pem');
  if (!existsSync(signingKeyFile)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    writeFileSync(signingKeyFile, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  }
  // Written every time, so that it always belongs to the private key beside it.
  const publicKey = createPublicKey(readFileSync(signingKeyFile, 'utf8'));
  writeFileSync(join(pki, 'export-public.pem'), publicKey.export({ type: 'spki', format: 'pem' }));
  const pepperFile = join(secrets, 'tele-tan-pepper');
  if (!existsSync(pepperFile)) writeFileSync(pepperFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  return { signingKeyFile, pepperFile };
}
