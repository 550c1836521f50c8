import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
import { type Mesh, type MeshOptions, startMesh } from '../mesh/mesh.ts';

/** A mesh of its own in a temporary home, on free ports; `leave` stops it and removes everything. */
export async function temporaryMesh(
  options: Partial<MeshOptions> = {},
): Promise<{ mesh: Mesh; leave(): Promise<void> }> {
  const home = mkdtempSync(join(tmpdir(), 'cwa-flow-'));
  const remove = () => {
    removeEmbeddedPostgres(join(home, 'postgres'));
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const mesh = await startMesh({ home, env: {}, anyPorts: true, ...options });
    return {
      mesh,
      async leave() {
        await mesh.close();
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}
