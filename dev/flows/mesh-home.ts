import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeHome } from '../mesh/home.ts';
import { type Mesh, type MeshOptions, startMesh } from '../mesh/mesh.ts';

/** A mesh of its own in a temporary home, on free ports; `leave` stops it and removes everything. */
export async function temporaryMesh(
  options: Partial<MeshOptions> = {},
): Promise<{ mesh: Mesh; leave(): Promise<void> }> {
  await using opened = new AsyncDisposableStack();
  const home = mkdtempSync(join(tmpdir(), 'cwa-flow-'));
  opened.defer(() => removeHome(home));
  const mesh = await startMesh({ home, env: {}, anyPorts: true, ...options });
  opened.defer(() => mesh.close());
  const leaving = opened.move();
  return { mesh, leave: () => leaving.disposeAsync() };
}
