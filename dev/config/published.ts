import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readBlobStoreConfig } from '../../lib/blob/config.ts';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import type { Env } from '../../lib/process/config.ts';
import { undiciHttp } from '../../phone/undici-http.ts';

import { openStore } from '../../svc/distribution/open-store.ts';
import { homeOf } from '../home.ts';
import { askControl } from '../mesh/control.ts';
import { publicPorts } from '../mesh/ports.ts';
import { configurationKeys, type PublishedFiles } from './readable.ts';

export interface Published {
  readonly from: string;
  readonly files: PublishedFiles;
}

/**
 * The configuration that phones get now: from the object store that the environment names, else from the running local
 * mesh as a phone would. Undefined when there is neither.
 */
export async function publishedConfiguration(env: Env, country: string): Promise<Published | undefined> {
  if (env['S3_BUCKET']) return fromStore(env, country);
  const home = homeOf(env);
  const running = await askControl(home, 'GET', '/clock').then(
    () => true,
    () => false,
  );
  return running ? fromMesh(home, env, country) : undefined;
}

async function fromStore(env: Env, country: string): Promise<Published> {
  const store = await openStore(readBlobStoreConfig(env));
  try {
    const files = await collect(country, async (key) => (await store.get(key))?.body);
    return { from: `the object store (S3_BUCKET ${env['S3_BUCKET']})`, files };
  } finally {
    store.close();
  }
}

async function fromMesh(home: string, env: Env, country: string): Promise<Published> {
  const origin = `https://localhost:${env['GATEWAY_PHONE_PORT'] || publicPorts.GATEWAY_PHONE_PORT}`;
  const http = undiciHttp(origin, { ca: readFileSync(join(home, 'pki', 'ca.crt')), connections: 1 });
  try {
    const files = await collect(country, async (key) => {
      const { status, body } = await http({ method: 'GET', path: `/${key}`, headers: {} });
      return status === 200 ? body : undefined;
    });
    return { from: `the running mesh (${origin})`, files };
  } finally {
    await http.close();
  }
}

async function collect(country: string, read: (key: string) => Promise<Buffer | undefined>): Promise<PublishedFiles> {
  const files = new Map<string, Uint8Array>();
  for (const key of configurationKeys(country)) {
    const zip = await read(key);
    if (zip !== undefined) files.set(key, (await openArchive(zip)).bin);
  }
  return files;
}
