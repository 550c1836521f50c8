import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { Agent, request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type TestPki, testPki } from '../../lib/testing/pki.ts';
import { teams } from '../../ops-api/teams.ts';
import { type IdentityProviderConfig, readConfig } from './config.ts';
import { audience, type IdentityProvider, startIdentityProvider } from './identity-provider.ts';
import { makeIdentitySecrets, secretFileOf, signingKeyFileOf } from './secrets.ts';
import { fetchToken } from './token.ts';

let pki: TestPki;
let folder: string;
let config: IdentityProviderConfig;
let provider: IdentityProvider;
let ca: string;

beforeAll(async () => {
  pki = await testPki();
  ca = pki.authority.ca;
  folder = mkdtempSync(join(tmpdir(), 'cwa-identity-'));
  makeIdentitySecrets(folder);
  const { certFile, keyFile } = await pki.files('identity-provider');
  config = readConfig({
    IDENTITY_PROVIDER_PORT: '0',
    IDENTITY_PROVIDER_TLS_CERT_FILE: certFile,
    IDENTITY_PROVIDER_TLS_KEY_FILE: keyFile,
    IDENTITY_PROVIDER_SIGNING_KEY_FILE: signingKeyFileOf(folder),
    IDENTITY_PROVIDER_SECRETS_DIR: folder,
  });
  provider = await startIdentityProvider(config);
});
afterAll(async () => {
  await provider.close();
  pki.remove();
  rmSync(folder, { recursive: true, force: true });
});

const tokenOf = (client: string, secret = readFileSync(secretFileOf(folder, 'ops-cwa'), 'utf8')) =>
  fetchToken({ issuer: provider.issuer, ca, client, secret });

async function fromIssuer(url: string): Promise<Response> {
  const dispatcher = new Agent({ connect: { ca } });
  const { statusCode, body } = await request(url, { dispatcher });
  const response = new Response(await body.text(), { status: statusCode });
  await dispatcher.close();
  return response;
}

test.each(teams)('a token of %s is verified by what discovery leads to', async (team) => {
  const { access_token, token_type, expires_in } = await tokenOf(team, config.secrets.get(team));
  const discovered = (await (await fromIssuer(`${provider.issuer}/.well-known/openid-configuration`)).json()) as {
    issuer: string;
    jwks_uri: string;
  };
  expect(discovered.issuer).toBe(provider.issuer);
  const keys = createRemoteJWKSet(new URL(discovered.jwks_uri), { [customFetch]: fromIssuer });

  const { payload, protectedHeader } = await jwtVerify(access_token, keys, { issuer: provider.issuer, audience });

  expect(protectedHeader.alg).toBe('ES256');
  expect(payload).toMatchObject({ sub: team, roles: [team], amr: ['mfa'] });
  expect({ token_type, expires_in }).toEqual({ token_type: 'Bearer', expires_in: 900 });
});

test('a wrong secret, the secret of another team and an unknown client get nothing', async () => {
  await expect(tokenOf('ops-cwa', 'wrong')).rejects.toThrow(/gives ops-cwa no token: invalid_client/);
  await expect(tokenOf('ops-security')).rejects.toThrow('invalid_client');
  await expect(tokenOf('ops-everything')).rejects.toThrow('invalid_client');
});

test('secrets are those of the first start, readable by their owner alone; a second start keeps them', () => {
  const file = secretFileOf(folder, 'ops-cwa');
  const before = readFileSync(file, 'utf8');
  makeIdentitySecrets(folder);
  expect(readFileSync(file, 'utf8')).toBe(before);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a missing secret is named', () => {
  const environment = {
    IDENTITY_PROVIDER_TLS_CERT_FILE: join(pki.folder, 'identity-provider.crt'),
    IDENTITY_PROVIDER_TLS_KEY_FILE: join(pki.folder, 'identity-provider.key'),
    IDENTITY_PROVIDER_SIGNING_KEY_FILE: signingKeyFileOf(folder),
    IDENTITY_PROVIDER_SECRETS_DIR: pki.folder,
  };
  expect(() => readConfig(environment)).toThrow(/^IDENTITY_PROVIDER_SECRETS_DIR: .* no readable secret of ops-cwa/);
});
