import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Team, teams } from '../../ops-api/teams.ts';

export const secretFileOf = (folder: string, team: Team): string => join(folder, `client-${team}`);
export const signingKeyFileOf = (folder: string): string => join(folder, 'identity-provider-key.pem');

/** The secret of each team's client and the key that signs tokens: made once, kept as long as the home lives. */
export function makeIdentitySecrets(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const make = (file: string, content: () => string): void => {
    if (!existsSync(file)) writeFileSync(file, content(), { mode: 0o600 });
  };
  for (const team of teams) make(secretFileOf(folder, team), () => randomBytes(32).toString('hex'));
  make(signingKeyFileOf(folder), () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' });
  });
}
