import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { areaUnderCurve, bound } from './area-under-curve.ts';
import { freePort } from '../../../lib/process/free-port.ts';
import type { Mesh } from '../../mesh/mesh.ts';
import { openBenchMesh, openBenchPool } from '../bench-mesh.ts';
import type { BenchRun } from '../bench.ts';
import { seedResults, seedSessions, tokenSeed } from '../polls.ts';
import { seedTans, tanSeed } from '../uploads.ts';
import type { PrivacyJob, PrivacyMessage, SeenOfSurface } from './job.ts';
import { type Plant, setPlant } from './plants.ts';

/** The default of `GATEWAY_ANSWER_FLOOR_MS`. */
export const floorMs = 500;

/** A running mesh whose gateway can be told to plant differences, and rows for real requests. */
export interface ObservedMesh {
  readonly mesh: Mesh;
  readonly tokenCount: number;
  plant(plant: Partial<Plant>): Promise<void>;
  observe(size: Pick<PrivacyJob, 'lanes' | 'requests'>): Promise<Observation>;
}

export interface Observation {
  readonly surfaces: readonly Told[];
  /** All surfaces as one; the same in each, a difference shows sooner here. */
  readonly together: Told;
}

/** What an observer can tell: areas under the curve, and how far they may be from 0.5 by chance (decision 15). */
export interface Told {
  readonly name: string;
  readonly samples: number;
  readonly time: number;
  /** The same of the answers that made their first slot: what a machine too busy to measure on can still say. */
  readonly timeInFirstSlot: number;
  readonly size: number;
  readonly bound: number;
  /** Shares of real and fake answers that missed the first slot, 0 to 1. */
  readonly late: { readonly real: number; readonly fake: number };
  readonly failed: number;
}

export async function openObservedMesh(
  run: BenchRun,
  counts: { tans: number; tokens: number },
  env: Readonly<Record<string, string>> = {},
): Promise<ObservedMesh> {
  const plantPort = await freePort();
  const plantModule = join(import.meta.dirname, 'plant.ts');
  const mesh = await openBenchMesh(run, {
    env: { GATEWAY_ANSWER_FLOOR_MS: String(floorMs), GATEWAY_PLANT_PORT: String(plantPort), ...env },
    nodeFlags: (name) => (name === 'gateway' ? ['--import', plantModule] : []),
  });
  run.progress('seeding TANs, registration tokens and positive results');
  const now = mesh.clock.now();
  const verification = openBenchPool(run, mesh, 'VERIFICATION');
  await seedTans(verification, counts.tans, now);
  await seedSessions(verification, counts.tokens, now);
  await seedResults(openBenchPool(run, mesh, 'TEST_RESULT'), counts.tokens, now, true);
  const port = mesh.ports.GATEWAY_PHONE_PORT;
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'), 'utf8');
  let firstTan = 0;
  return {
    mesh,
    tokenCount: counts.tokens,
    plant: (plant) => setPlant(plantPort, plant),
    async observe(size) {
      const { surfaces, tansUsed } = await runObserver(run, {
        ...size,
        port,
        ca,
        nowSeconds: Math.floor(mesh.clock.nowMs() / 1000),
        seed: { tans: tanSeed, firstTan, tokens: tokenSeed, tokenCount: counts.tokens },
      });
      firstTan += tansUsed;
      return { surfaces: surfaces.map(told), together: told(togetherOf(surfaces)) };
    },
  };
}

async function runObserver(run: BenchRun, job: PrivacyJob): Promise<Extract<PrivacyMessage, { phase: 'seen' }>> {
  const observer = fork(join(import.meta.dirname, 'observer.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
  const ended = new Promise<void>((done) => observer.once('exit', () => done()));
  run.defer(async () => {
    observer.kill('SIGKILL');
    await ended;
  });
  return new Promise((resolve, reject) => {
    observer.once('message', (message: PrivacyMessage) => {
      if (message.phase === 'seen') resolve(message);
      else reject(new Error(message.reason));
    });
    void ended.then(() => reject(new Error('the observer ended early')));
    observer.send(job);
  });
}

function told({ name, ms, octets, failed }: SeenOfSurface): Told {
  return {
    name,
    samples: ms.real.length + ms.fake.length,
    time: areaUnderCurve(ms.real, ms.fake),
    timeInFirstSlot: areaUnderCurve(ms.real.filter(inFirstSlot), ms.fake.filter(inFirstSlot)),
    size: areaUnderCurve(octets.real, octets.fake),
    bound: bound(ms.real.length, ms.fake.length),
    late: { real: lateShare(ms.real), fake: lateShare(ms.fake) },
    failed,
  };
}

const inFirstSlot = (ms: number): boolean => ms < 1.5 * floorMs;
const lateShare = (ms: readonly number[]): number =>
  ms.filter((value) => !inFirstSlot(value)).length / Math.max(1, ms.length);

function togetherOf(surfaces: readonly SeenOfSurface[]): SeenOfSurface {
  const all = (numbers: (seen: SeenOfSurface) => number[]) => surfaces.flatMap(numbers);
  return {
    name: 'all routes together',
    ms: { real: all(({ ms }) => ms.real), fake: all(({ ms }) => ms.fake) },
    octets: { real: all(({ octets }) => octets.real), fake: all(({ octets }) => octets.fake) },
    failed: surfaces.reduce((sum, { failed }) => sum + failed, 0),
  };
}
