import { utcDay } from '../../lib/exposure/intervals.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench } from './bench.ts';
import { loadFigures, runLoad } from './load/run-load.ts';
import { get, hourIndexPath, hourPath } from './published.ts';
import { rounded } from './record.ts';
import { seedKeys } from './seed-keys.ts';

/** About 20 KB zipped. */
const keysPerHour = 1_070;
const hours = 3;
const hourMs = 3_600_000;
const goal = { atLeast: 8_500 };

/** The gateway's origin path, over kept connections: indexes and packages in turn, each alone, and unchanged ones. */
export const downloads: Bench = async (run) => {
  const mesh = await openBenchMesh(run, {
    startAtMs: utcDay(Date.now() / 1000) * 24 * hourMs + 9.5 * hourMs,
    // The limit that sheds load is not what is measured.
    env: { GATEWAY_MAX_DOWNLOADS_PER_SECOND: '1000000' },
  });
  const submission = openBenchPool(run, mesh, 'SUBMISSION');
  await mesh.runDistribution();
  const first = Math.floor(mesh.clock.nowMs() / hourMs);
  for (let hour = first; hour < first + hours; hour++) {
    await seedKeys(submission, keysPerHour, hour * hourMs);
    await mesh.advanceTo((hour + 1) * hourMs);
  }
  const index = hourIndexPath(first);
  const packages = Array.from({ length: hours }, (_, i) => hourPath(first + i));
  const all = packages.flatMap((path) => [index, path]);
  const etags = await Promise.all(all.map(async (path) => (await get(mesh, path)).etag));
  const { body } = await get(mesh, packages[0] as string);

  const load = (name: string, paths: readonly string[], unchanged = false) => {
    run.progress(`${name} for 13 s`);
    return runLoad(run, mesh, {
      connections: 100,
      warmUpMs: 3_000,
      measureMs: 10_000,
      expectedStatus: unchanged ? 304 : 200,
      requests: { kind: 'downloads', paths, ...(unchanged ? { etags } : {}) },
    });
  };
  const mixed = await load('indexes and packages', all);
  const indexes = await load('indexes', [index]);
  const archives = await load('packages', packages);
  const notModified = await load('unchanged', all, true);
  const rate = (name: string, { answers, seconds }: typeof mixed) => ({
    name: `downloads, ${name}`,
    value: Math.round(answers / seconds),
    unit: 'requests/s',
  });
  return [
    ...loadFigures('downloads', 'requests', mixed, goal),
    rate('indexes alone', indexes),
    rate('packages alone', archives),
    { name: 'downloads, size of a package', value: rounded(body.length / 1000, 1), unit: 'KB' },
    ...loadFigures('downloads, 304', 'requests', notModified, goal),
  ];
};
