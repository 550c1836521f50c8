import { createHash } from 'node:crypto';
import { readBlobStoreConfig } from '../../lib/blob/config.ts';
import { openS3BlobStore } from '../../lib/blob/s3-blob-store.ts';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { type Mesh, startMesh } from '../mesh/mesh.ts';
import { seedKeys } from '../bench/seed-keys.ts';
import { loadSnapshot, type Snapshot, takeSnapshot } from './snapshot.ts';

const hourMs = 3_600_000;

export interface BuildOptions {
  /** Fresh folder for database, objects, certificates and logs. */
  readonly home: string;
  /** Signing settings that both builds share. */
  readonly env: Readonly<Record<string, string>>;
  readonly atMs: number;
}

/** A state worth comparing: two days with an outage, few keys that had to be padded, and full hours. */
export async function makeSnapshot({ home, env, atMs }: BuildOptions): Promise<Snapshot> {
  return withMesh({ home, env, atMs: atMs - 36 * hourMs }, async (mesh) => {
    await mesh.runDistribution();
    const submission = poolOf(mesh, 'SUBMISSION');
    try {
      await seedKeys(submission, 20, mesh.clock.nowMs());
      await mesh.advanceTo(atMs - 6 * hourMs);
      for (let hour = 5; hour >= 0; hour--) {
        if (hour !== 3) await seedKeys(submission, 400, mesh.clock.nowMs());
        await mesh.advanceTo(atMs - hour * hourMs);
      }
    } finally {
      await submission.close();
    }
    return usingPool(mesh, 'DISTRIBUTION', takeSnapshot);
  });
}

/** SHA-256 of every object that one distribution run makes of the snapshot in an empty database and an empty store. */
export async function build(
  options: BuildOptions,
  snapshot: Snapshot,
  what: 'bytes' | 'content',
): Promise<Map<string, string>> {
  return withMesh(options, async (mesh) => {
    await usingPool(mesh, 'DISTRIBUTION', (pool) => loadSnapshot(pool, snapshot));
    await mesh.runDistribution();
    return hashesOf(mesh, what);
  });
}

async function hashesOf(mesh: Mesh, what: 'bytes' | 'content'): Promise<Map<string, string>> {
  const store = await openS3BlobStore(readBlobStoreConfig(mesh.objectStore.env));
  try {
    const hashes = new Map<string, string>();
    for await (const { key } of store.list('')) {
      const blob = await store.get(key);
      if (blob === undefined) continue;
      const isArchive = blob.contentType === 'application/zip' && blob.body.length > 0;
      const compared = what === 'content' && isArchive ? (await openArchive(blob.body)).bin : blob.body;
      hashes.set(key, createHash('sha256').update(compared).digest('hex'));
    }
    return hashes;
  } finally {
    store.close();
  }
}

async function withMesh<T>({ home, env, atMs }: BuildOptions, use: (mesh: Mesh) => Promise<T>): Promise<T> {
  const mesh = await startMesh({ home, env: { GATEWAY_HOST: '127.0.0.1', ...env }, anyPorts: true, startAtMs: atMs });
  try {
    return await use(mesh);
  } finally {
    await mesh.close();
  }
}

const poolOf = (mesh: Mesh, service: 'SUBMISSION' | 'DISTRIBUTION'): Pool =>
  openPool({ url: mesh.databaseUrl(service), poolSize: 2, setting: `${service}_DATABASE_URL` }, silentLog);

async function usingPool<T>(
  mesh: Mesh,
  service: 'SUBMISSION' | 'DISTRIBUTION',
  use: (pool: Pool) => Promise<T>,
): Promise<T> {
  const pool = poolOf(mesh, service);
  try {
    return await use(pool);
  } finally {
    await pool.close();
  }
}
