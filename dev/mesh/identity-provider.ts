import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../lib/process/free-port.ts';
import { makeIdentitySecrets, signingKeyFileOf } from '../identity-provider/secrets.ts';
import { type MeshProcess, startProcess } from './child.ts';

/** The identity provider of a local run: started when it is wanted. */
export interface IdentityProviderStarter {
  /** Undefined until it has started. */
  current(): MeshProcess | undefined;
  /** The same process, however often it is called. */
  start(): Promise<MeshProcess>;
  stop(): Promise<void>;
}

export const issuerFileOf = (home: string): string => join(home, 'identity-provider.json');
export const issuerOf = (port: number): string => `https://localhost:${port}`;

/** Not started by it: most meshes have nobody who signs in. */
export function identityProviderOf(home: string, port: number): IdentityProviderStarter {
  let starting: Promise<MeshProcess> | undefined;
  let started: MeshProcess | undefined;
  return {
    current: () => started,
    async start() {
      starting ??= startIn(home, port);
      started = await starting;
      return started;
    },
    async stop() {
      rmSync(issuerFileOf(home), { force: true });
      // What is half started cannot be stopped.
      await (await starting?.catch(() => undefined))?.stop();
    },
  };
}

async function startIn(home: string, port: number): Promise<MeshProcess> {
  const secrets = join(home, 'secrets');
  makeIdentitySecrets(secrets);
  const managementPort = await freePort();
  const started = await startProcess({
    name: 'identity-provider',
    script: 'dev/identity-provider/main.ts',
    env: {
      IDENTITY_PROVIDER_PORT: String(port),
      IDENTITY_PROVIDER_MANAGEMENT_PORT: String(managementPort),
      IDENTITY_PROVIDER_TLS_CERT_FILE: join(home, 'pki', 'identity-provider.crt'),
      IDENTITY_PROVIDER_TLS_KEY_FILE: join(home, 'pki', 'identity-provider.key'),
      IDENTITY_PROVIDER_SIGNING_KEY_FILE: signingKeyFileOf(secrets),
      IDENTITY_PROVIDER_SECRETS_DIR: secrets,
    },
    logFile: join(home, 'log', 'identity-provider.log'),
    readyUrl: `http://127.0.0.1:${managementPort}/health/ready`,
  });
  writeFileSync(issuerFileOf(home), `${JSON.stringify({ issuer: issuerOf(port) })}\n`);
  return started;
}
