import { z } from 'zod';
import { ConfigError, type Env, fileContent, port, readEnv } from '../../lib/process/config.ts';
import { type Team, teams } from '../../ops-api/teams.ts';
import { secretFileOf } from './secrets.ts';
import { readFileSync } from 'node:fs';

export interface IdentityProviderConfig {
  readonly port: number;
  readonly managementPort: number;
  /** PEM texts. */
  readonly tls: { readonly cert: string; readonly key: string };
  /** Private EC key that signs tokens. */
  readonly signingKey: string;
  /** Secret of each team's client. */
  readonly secrets: ReadonlyMap<Team, string>;
}

/** Reads the settings; the folder of secrets is made by `makeIdentitySecrets`. */
export function readConfig(env: Env): IdentityProviderConfig {
  const read = readEnv(
    z.object({
      IDENTITY_PROVIDER_PORT: port(8447),
      IDENTITY_PROVIDER_MANAGEMENT_PORT: port(0),
      IDENTITY_PROVIDER_TLS_CERT_FILE: fileContent(),
      IDENTITY_PROVIDER_TLS_KEY_FILE: fileContent(),
      IDENTITY_PROVIDER_SIGNING_KEY_FILE: fileContent(),
      IDENTITY_PROVIDER_SECRETS_DIR: z.string(),
    }),
    env,
  );
  return {
    port: read.IDENTITY_PROVIDER_PORT,
    managementPort: read.IDENTITY_PROVIDER_MANAGEMENT_PORT,
    tls: { cert: read.IDENTITY_PROVIDER_TLS_CERT_FILE, key: read.IDENTITY_PROVIDER_TLS_KEY_FILE },
    signingKey: read.IDENTITY_PROVIDER_SIGNING_KEY_FILE,
    secrets: new Map(teams.map((team) => [team, secretOf(read.IDENTITY_PROVIDER_SECRETS_DIR, team)])),
  };
}

function secretOf(folder: string, team: Team): string {
  try {
    return readFileSync(secretFileOf(folder, team), 'utf8');
  } catch {
    throw new ConfigError([`IDENTITY_PROVIDER_SECRETS_DIR: the folder it names has no readable secret of ${team}`]);
  }
}
