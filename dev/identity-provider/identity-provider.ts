import { createHash, createPrivateKey } from 'node:crypto';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type ClientMetadata, type Configuration, Provider } from 'oidc-provider';
import type { Team } from '../../ops-api/teams.ts';
import type { IdentityProviderConfig } from './config.ts';

export interface IdentityProvider {
  readonly issuer: string;
  close(): Promise<void>;
}

/** Whom tokens are for. */
export const audience = 'cwa-ops-api';
/** What a client would name to ask for a token of that audience; it is the default. */
const resource = `urn:${audience}`;
const tokenSeconds = 900;

/**
 * OpenID Connect for a local run: one confidential client for each operating team, which gets access tokens with its
 * role by the client credentials grant. People who sign in by the code flow come with the hotline portal.
 */
export async function startIdentityProvider(config: IdentityProviderConfig): Promise<IdentityProvider> {
  const server = createServer({ ...config.tls, minVersion: 'TLSv1.2' });
  await new Promise<void>((done, failed) => server.once('error', failed).listen(config.port, done));
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, configurationOf(config));
  server.on('request', provider.callback());
  return {
    issuer,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function configurationOf({ signingKey, secrets }: IdentityProviderConfig): Configuration {
  return {
    clients: [...secrets].map(([team, secret]) => teamClient(team, secret)),
    // The default would want an RSA key.
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    ttl: { ClientCredentials: tokenSeconds },
    jwks: { keys: [jwkOf(signingKey)] },
    cookies: { keys: [createHash('sha256').update(`cookies ${signingKey}`).digest('hex')] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          scope: '',
          audience,
          accessTokenFormat: 'jwt',
          accessTokenTTL: tokenSeconds,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    // What a person's sign-in would have shown: the role of the team, and a second factor (decision 36).
    extraTokenClaims: (_context, token) =>
      token.kind === 'ClientCredentials' ? { roles: [token.clientId], amr: ['mfa'] } : undefined,
  };
}

const teamClient = (team: Team, secret: string): ClientMetadata => ({
  client_id: team,
  client_secret: secret,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});

function jwkOf(pem: string) {
  const { kty, crv, x, y, d } = createPrivateKey(pem).export({ format: 'jwk' });
  const kid = createHash('sha256').update(`${x}.${y}`).digest('base64url').slice(0, 16);
  return { kty, crv, x, y, d, kid, use: 'sig', alg: 'ES256' };
}
