import { utcDay } from '../../lib/exposure/intervals.ts';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { decodeKeyExport } from '../../lib/exposure/key-export-reader.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench } from './bench.ts';
import { get, hourPath } from './published.ts';
import { median, rounded } from './record.ts';
import { seedKeys } from './seed-keys.ts';

const keys = 100_000;
const rounds = 3;
const hourMs = 3_600_000;

/**
 * The distribution run that finds 100,000 new keys at the end of an hour: reads them from submission, assigns, builds,
 * signs and publishes the packages of both regions, indexes and all else that a run does. Median of three hours.
 */
export const exportKeys: Bench = async (run) => {
  // Well away from midnight, which has more to do.
  const mesh = await openBenchMesh(run, { startAtMs: utcDay(Date.now() / 1000) * 24 * hourMs + 9.5 * hourMs });
  const submission = openBenchPool(run, mesh, 'SUBMISSION');
  await mesh.runDistribution();
  const seconds: number[] = [];
  let octetsPerKey = 0;
  for (let round = 1; round <= rounds; round++) {
    const hour = Math.floor(mesh.clock.nowMs() / hourMs);
    await seedKeys(submission, keys, mesh.clock.nowMs());
    const startedAt = performance.now();
    await mesh.advanceTo((hour + 1) * hourMs);
    seconds.push((performance.now() - startedAt) / 1000);
    run.progress(`round ${round}: ${seconds.at(-1)?.toFixed(2)} s`);
    octetsPerKey = await provePublished(mesh, hour);
  }
  return [
    { name: 'export of 100,000 keys', value: rounded(median(seconds)), unit: 's', goal: { atMost: 3 } },
    { name: 'export, size of a zipped key', value: rounded(octetsPerKey), unit: 'octets' },
  ];
};

/** The package of the hour is there and holds the keys; answers octets a key. */
async function provePublished(mesh: Mesh, hour: number): Promise<number> {
  const { body } = await get(mesh, hourPath(hour));
  const { keys: published } = decodeKeyExport((await openArchive(body)).bin);
  if (published.length !== keys) throw new Error(`the package holds ${published.length} keys instead of ${keys}`);
  return body.length / published.length;
}
