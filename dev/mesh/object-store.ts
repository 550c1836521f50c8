import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../../lib/process/config.ts';
import { freePort } from '../../lib/process/free-port.ts';
import { type MeshProcess, startProcess } from './child.ts';

export interface ObjectStoreAccess {
  /** `S3_…` settings for the processes that use the store. */
  readonly env: Record<string, string>;
  /** Absent when the environment names a store. */
  readonly process?: MeshProcess;
}

/** The store that `S3_ENDPOINT` names, or the embedded one as a process of its own. */
export async function openObjectStore(
  home: string,
  env: Env,
  opened: AsyncDisposableStack,
): Promise<ObjectStoreAccess> {
  if (env['S3_ENDPOINT']) {
    const given = Object.entries(env).filter(([key]) => key.startsWith('S3_'));
    return { env: Object.fromEntries(given) as Record<string, string> };
  }
  const secretFile = join(home, 'secrets', 's3-secret');
  if (!existsSync(secretFile)) writeFileSync(secretFile, randomBytes(24).toString('hex'), { mode: 0o600 });
  const port = await freePort();
  const store = await startProcess({
    name: 'object-store',
    script: 'dev/object-store/main.ts',
    env: {
      OBJECT_STORE_DIR: join(home, 'objects'),
      OBJECT_STORE_PORT: String(port),
      OBJECT_STORE_ACCESS_KEY_ID: 'local',
      OBJECT_STORE_SECRET_ACCESS_KEY_FILE: secretFile,
    },
    logFile: join(home, 'log', 'object-store.log'),
    readyUrl: `http://127.0.0.1:${port}/`,
    anyAnswer: true,
  });
  opened.defer(() => store.stop());
  return {
    process: store,
    env: {
      S3_ENDPOINT: `http://127.0.0.1:${port}`,
      S3_REGION: 'eu-central-1',
      S3_BUCKET: 'cwa',
      S3_ACCESS_KEY_ID: 'local',
      S3_SECRET_ACCESS_KEY_FILE: secretFile,
    },
  };
}
