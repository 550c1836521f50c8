import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Mesh } from '../mesh/mesh.ts';
import { answered, type WireClient } from '../wire/exchange.ts';
import { partnerEndpoint, phoneEndpoint } from '../wire/endpoint.ts';
import { http1Client } from '../wire/http1.ts';
import { intakeHolds, positiveTokens, tanRequest, tellOf } from '../wire/journeys.ts';
import { decoderTargets } from './decoders.ts';
import { fileTargets } from './files.ts';
import { goodUploads } from './good-inputs.ts';
import { type MeshWatch, watchMesh } from './mesh-watch.ts';
import { rawTargets } from './raw-targets.ts';
import type { Known } from './request-shape.ts';
import { requestTargets } from './socket-targets.ts';
import type { Target, TargetRun } from './target.ts';

/** Half-sent requests are cut after this, in ms. */
const slowMs = 2_000;

/** How a mesh to fuzz is started: answers leave at once, and its processes collect garbage when told to. */
export const fuzzMesh = {
  env: {
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_ANSWER_FLOOR_MS: '0',
    GATEWAY_SLOW_MS: String(slowMs),
    // So few requests are in hand at a time that with this none has a reason to be shed: one that is tells of a leak.
    GATEWAY_MAX_PARTNER_REQUESTS_PER_SECOND: '1000000',
  },
  nodeFlags: () => ['--expose-gc', '--import', join(import.meta.dirname, 'collect-garbage.ts')],
};

export interface FuzzOptions {
  readonly inputs: number;
  readonly seed: number;
  /** Part of a target's name; others are left out. */
  readonly only?: string;
  readonly progress?: (line: string) => void;
}

export interface FuzzReport {
  readonly inputs: number;
  readonly targets: ReadonlyMap<string, TargetRun>;
  /** Growth of each process in MB between the end of the warm-up and the end. */
  readonly growth: ReadonlyMap<string, number>;
  /** Everything that must not have happened; empty when all is well. */
  readonly faults: readonly string[];
}

/** A block of inputs ends in a line of progress; its seed alone repeats it. */
const blockSize = 5_000;
/** Inputs before memory is looked at the first time, relative to all. */
const warmUpShare = 0.2;
/** What a process may grow by after the warm-up, in MB, garbage not counted: caches that fill, code that is compiled. */
const growthLimit = 32;

/** Feeds `inputs` hostile inputs to every decoder and every route, and watches the mesh meanwhile. */
export async function runFuzz(mesh: Mesh, options: FuzzOptions): Promise<FuzzReport> {
  const { inputs, seed, only = '', progress = () => {} } = options;
  const [phones, partners] = [phoneEndpoint(mesh), partnerEndpoint(mesh)];
  const [phone, lab] = [http1Client(phones), http1Client(partners)];
  const watch = watchMesh(mesh);
  const files = fileTargets();
  const known = await knownTo(mesh, phone, lab);
  const plainPorts = Object.values(mesh.managementPorts());
  const requests = requestTargets(phones, partners, known);
  const all = [
    ...(await decoderTargets(mesh.clock.nowMs() / 1_000)),
    ...files.targets,
    ...requests.targets,
    ...rawTargets(phones, partners, plainPorts),
  ].filter(({ name }) => name.includes(only));
  try {
    const runs = new Map<string, TargetRun>();
    await runShares(all, Math.floor(inputs * warmUpShare), seed, runs, progress);
    await settle(mesh);
    const before = watch.memory();
    await runShares(all, inputs - Math.floor(inputs * warmUpShare), seed + 1_000_000, runs, progress);
    await settle(mesh);
    const growth = growthSince(before, watch);
    const faults = [
      ...[...runs].flatMap(([name, { failure }]) => (failure === undefined ? [] : [`${name}: ${failure}`])),
      ...[...growth].filter(([, mb]) => mb > growthLimit).map(([name, mb]) => `${name} grew by ${mb} MB`),
      ...[...runs].flatMap(([name, { verdicts }]) =>
        verdicts.has('503') ? [`${name}: ${verdicts.get('503')} shed without load`] : [],
      ),
      ...watch.faults(),
      ...(await lastJourney(phone, lab, mesh)),
    ];
    return { inputs: [...runs.values()].reduce((sum, run) => sum + run.inputs, 0), targets: runs, growth, faults };
  } finally {
    requests.close();
    files.close();
    phone.close();
    lab.close();
  }
}

/** Every target gets its share; one that has failed gets no more, so that its report stays readable. */
async function runShares(
  targets: readonly Target[],
  inputs: number,
  seed: number,
  runs: Map<string, TargetRun>,
  progress: (line: string) => void,
): Promise<void> {
  const shares = targets.reduce((sum, { share }) => sum + share, 0);
  for (const target of targets) {
    let left = Math.max(1, Math.round((inputs * target.share) / shares));
    for (let block = 0; left > 0 && runs.get(target.name)?.failure === undefined; block++) {
      const size = Math.min(blockSize, left);
      const run = await target.run(size, seed + block * 1_000);
      runs.set(target.name, joined(runs.get(target.name), run));
      left -= size;
      progress(
        `${target.name}: ${run.inputs.toLocaleString('en-US')} inputs, seed ${seed + block * 1_000}, ${left.toLocaleString('en-US')} to go`,
      );
    }
  }
}

function joined(earlier: TargetRun | undefined, run: TargetRun): TargetRun {
  if (earlier === undefined) return run;
  const verdicts = new Map(earlier.verdicts);
  for (const [verdict, count] of run.verdicts) verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + count);
  return { ...run, inputs: earlier.inputs + run.inputs, verdicts };
}

/** Tokens of positive tests, one TAN each, and an object to download. */
async function knownTo(mesh: Mesh, phone: WireClient, lab: WireClient): Promise<Known> {
  await mesh.runDistribution();
  const tokens = await positiveTokens(phone, lab, 12);
  const tans: string[] = [];
  for (const token of tokens) tans.push(tellOf(answered(await phone.send(tanRequest(token))), 'tan'));
  const objects = ['/version/v1/configuration/country/DE/app_config', '/version/v1/diagnosis-keys/country'];
  return { tokens, tans, uploads: goodUploads(mesh.clock.nowMs() / 1_000), objects };
}

/** Half-sent requests are cut and garbage is collected before memory is looked at. */
async function settle(mesh: Mesh): Promise<void> {
  await delay(slowMs + 500);
  for (const { pid } of mesh.processes.values()) process.kill(pid, 'SIGUSR2');
  await delay(500);
}

function growthSince(before: ReadonlyMap<string, number>, watch: MeshWatch): Map<string, number> {
  return new Map([...watch.memory()].map(([name, mb]) => [name, mb - (before.get(name) ?? 0)]));
}

async function lastJourney(phone: WireClient, lab: WireClient, mesh: Mesh): Promise<string[]> {
  try {
    await intakeHolds(phone, lab, mesh.clock.nowMs());
    return [];
  } catch (error) {
    return [`at the end the mesh no longer serves: ${error instanceof Error ? error.message : String(error)}`];
  }
}
