import { afterAll, beforeAll, expect, test } from 'vitest';
import { guidedJourney } from '../journey/guided-journey.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { temporaryMesh } from './mesh-home.ts';

let mesh: Mesh;
let leave: () => Promise<void>;

beforeAll(async () => {
  ({ mesh, leave } = await temporaryMesh());
});
afterAll(() => leave?.());

test('a lab reports, a phone uploads, other phones are warned: high, low and no encounter', async () => {
  const lines: string[] = [];
  const held = await guidedJourney(mesh, { line: (text) => lines.push(text) });
  const told = lines.join('\n');
  expect(held, told).toBe(true);
  expect(told).toMatch(/Bob +HIGH RISK +encounters: 1/);
  expect(told).toMatch(/Carol +low risk +encounters: 1/);
  expect(told).toMatch(/Dave +low risk +encounters: 0/);
}, 120_000);

test('it holds a second time on the same state, from where the clock stands', async () => {
  const lines: string[] = [];
  expect(await guidedJourney(mesh, { line: (text) => lines.push(text) }), lines.join('\n')).toBe(true);
}, 120_000);
