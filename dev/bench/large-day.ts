import { utcDay } from '../../lib/exposure/intervals.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench } from './bench.ts';
import { keysOfArchive } from './independent-parser.ts';
import { dayPath, get } from './published.ts';
import { seedKeys } from './seed-keys.ts';

const hourMs = 3_600_000;
const keysOfLargeDay = 1_200_000;
const today = utcDay(Date.now() / 1000);

/** Keys of four hours that no single file may hold: they must all come out, on two days, each once. */
export const largeDay: Bench = async (run) => {
  const mesh = await openBenchMesh(run, { startAtMs: today * 24 * hourMs + 9.5 * hourMs });
  const submission = openBenchPool(run, mesh, 'SUBMISSION');
  await mesh.runDistribution();
  const count = Math.round((keysOfLargeDay * run.scale) / 4);
  for (let round = 0; round < 4; round++) {
    await seedKeys(submission, count, mesh.clock.nowMs());
    const next = (Math.floor(mesh.clock.nowMs() / hourMs) + 1) * hourMs;
    await mesh.advanceTo(next);
    run.progress(`a day of ${4 * count} keys: hour ${round + 1} of 4`);
  }
  const { rows } = await submission.query<{ key: string }>(`select encode(key_data, 'hex') as key from diagnosis_key`);
  await mesh.advanceTo((today + 2) * 24 * hourMs + 300_000);
  const found = new Map<string, number>();
  let packages = 0;
  for (const day of [today, today + 1]) {
    const keys = keysOfArchive((await get(mesh, dayPath(day))).body);
    if (keys.length > 0) packages++;
    for (const key of keys) found.set(key, (found.get(key) ?? 0) + 1);
  }
  const once = rows.filter(({ key }) => found.get(key) === 1).length;
  return [
    { name: 'large day, day packages', value: packages, unit: 'packages' },
    {
      name: 'large day, keys found once',
      value: once,
      unit: 'keys',
      goal: { atLeast: 4 * count },
    },
  ];
};
