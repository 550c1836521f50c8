import { openArchive } from '../../lib/exposure/export-archive.ts';
import { utcDay } from '../../lib/exposure/intervals.ts';
import { decodeKeyExport } from '../../lib/exposure/key-export-reader.ts';
import { sizesOf } from '../analysis/size-bound.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench } from './bench.ts';
import { seedNation } from './nation-keys.ts';
import { peakResidentMegabytes } from './processes.ts';
import { dayPath, get } from './published.ts';
import { type Figure, median, rounded } from './record.ts';
import { seedKeys } from './seed-keys.ts';

const hourMs = 3_600_000;
const keysPerDay = 358_105;
const days = 14;
const keysPerHour = 30_000;
const today = utcDay(Date.now() / 1000);

/** A nation's fortnight published from an empty object store, then ordinary hours of it. */
export const fortnight: Bench = async (run) => {
  const mesh = await openBenchMesh(run, { startAtMs: today * 24 * hourMs + 300_000 });
  const process = mesh.processes.get('distribution');
  const scaled = Math.round(keysPerDay * run.scale);
  run.progress(`storing ${(scaled * days).toLocaleString('en-US')} keys`);
  await seedNation(openBenchPool(run, mesh, 'DISTRIBUTION'), {
    seed: 'nation',
    firstDay: today - days,
    lastDay: today - 1,
    keysPerDay: scaled,
  });
  run.progress('building everything from an empty object store');
  const rebuild = await measured(mesh, () => mesh.runDistribution());
  const peak = peakResidentMegabytes(process?.pid ?? 0);
  const sizes = await sizesOfDay(mesh, today - 1);

  const submission = openBenchPool(run, mesh, 'SUBMISSION');
  const hours: Measured[] = [];
  for (let round = 0; round < 3; round++) {
    await seedKeys(submission, Math.round(keysPerHour * run.scale), mesh.clock.nowMs());
    const next = (Math.floor(mesh.clock.nowMs() / hourMs) + 1) * hourMs;
    hours.push(await measured(mesh, () => mesh.advanceTo(next)));
    run.progress(`an hour: ${hours.at(-1)?.seconds.toFixed(2)} s`);
  }
  return [
    { name: 'fortnight, rebuild of 14 days', value: rounded(rebuild.seconds, 1), unit: 's', goal: { atMost: 60 } },
    { name: 'fortnight, rebuild, peak resident', value: peak, unit: 'MB', goal: { atMost: 512 } },
    { name: 'fortnight, rebuild, requests', value: rebuild.requests, unit: 'store requests' },
    {
      name: 'fortnight, hour of 30,000 keys',
      value: rounded(median(hours.map(({ seconds }) => seconds))),
      unit: 's',
      goal: { atMost: 5 },
    },
    {
      name: 'fortnight, hour of 30,000 keys, requests',
      value: Math.max(...hours.map(({ requests }) => requests)),
      unit: 'store requests',
      goal: { atMost: 30 },
    },
    ...sizes,
  ];
};

interface Measured {
  readonly seconds: number;
  readonly requests: number;
}

async function measured(mesh: Mesh, work: () => Promise<unknown>): Promise<Measured> {
  const before = await requestsOf(mesh);
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  return { seconds, requests: (await requestsOf(mesh)) - before - 1 };
}

/** The embedded store numbers every request that reaches it, this one included. */
async function requestsOf(mesh: Mesh): Promise<number> {
  const answer = await fetch(mesh.objectStore.env['S3_ENDPOINT'] ?? '');
  await answer.body?.cancel();
  return Number.parseInt(answer.headers.get('x-amz-request-id') ?? '', 16);
}

async function sizesOfDay(mesh: Mesh, day: number): Promise<Figure[]> {
  const { body } = await get(mesh, dayPath(day));
  const { bin } = await openArchive(body);
  const file = { content: decodeKeyExport(bin), rawBytes: bin.length, zippedBytes: body.length };
  const { zippedBytesPerKey, entropyBytesPerKey } = sizesOf([file]);
  return [
    { name: 'fortnight, zipped', value: rounded(zippedBytesPerKey ?? 0), unit: 'B/key', goal: { atMost: 18.6 } },
    { name: 'fortnight, entropy bound', value: rounded(entropyBytesPerKey ?? 0), unit: 'B/key' },
  ];
}
