import { afterAll, beforeAll, expect, test } from 'vitest';
import { fuzzMesh, runFuzz } from '../fuzz/run-fuzz.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { temporaryMesh } from './mesh-home.ts';

let mesh: Mesh;
let leave: () => Promise<void>;

beforeAll(async () => {
  ({ mesh, leave } = await temporaryMesh(fuzzMesh));
});
afterAll(() => leave?.());

/** A failure names target and seed: `npm run fuzz -- --seed … --only …` repeats it. Another seed each day finds more. */
const seed = Math.floor(Date.now() / 86_400_000);

test('20,000 hostile inputs to every decoder and route: no crash, no 5xx, no echo, no growth, the mesh serves on', async () => {
  const report = await runFuzz(mesh, { inputs: 20_000, seed });
  expect(report.faults, `seed ${seed}`).toEqual([]);
  expect(report.inputs).toBeGreaterThanOrEqual(19_900);
  // Inputs that are refused at the first look alone would show nothing.
  for (const [name, { verdicts }] of report.targets) {
    if (name.includes('routes'))
      expect([...verdicts.keys()], name).toEqual(expect.arrayContaining(['200', '400', '404', '405', '415']));
  }
});
