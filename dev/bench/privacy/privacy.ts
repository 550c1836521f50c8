import { availableParallelism, loadavg } from 'node:os';
import type { Bench, BenchRun } from '../bench.ts';
import { runLoad } from '../load/run-load.ts';
import { tokenSeed } from '../polls.ts';
import { machineCpuSeconds } from '../processes.ts';
import { type Figure, rounded } from '../record.ts';
import { startBackground } from './background-load.ts';
import { floorMs, type Observation, type ObservedMesh, openObservedMesh, type Told } from './observe.ts';

/** Requests in flight for each of the eight surfaces: four operations over REST and Connect. */
const lanes = 32;
/** For each lane: 5,000 real and 5,000 fake ones a surface; fewer where something is planted in all of them alike. */
const full = { requests: 314, planted: 24, tans: 50_000 };
const quick = { requests: 32, planted: 16, tans: 25_000 };
const tokens = 50_000;
const loadShare = 0.7;
const plantsUnderLoad = [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];

/**
 * Whether an observer of the line can tell real requests from fake ones by when answers leave or by how long they are
 * (decisions 13 to 15), and whether this measurement would notice if one could.
 */
export const privacy: Bench = async (run) => {
  const size = run.quick ? quick : full;
  const observed = await openObservedMesh(run, { tans: size.tans, tokens });
  const many = { lanes, requests: size.requests };
  const few = { lanes, requests: size.planted };
  const figures: Figure[] = [];

  run.progress('warming up');
  await observed.observe({ lanes, requests: 16 });
  run.progress(`idle: ${lanes} requests in flight for each route`);
  figures.push(...(await watched('idle', () => observed.observe(many))));
  run.progress('idle, with planted differences');
  await observed.plant({ leaveMs: 1 });
  figures.push(mustShow('idle, 1 ms planted in when answers leave', (await observed.observe(few)).together));
  await observed.plant({ handlerMs: 20 });
  figures.push(mustNotShow('idle, 20 ms planted inside the handlers', (await observed.observe(few)).together));

  const saturation = await saturationOf(run, observed);
  figures.push({ name: 'saturation, schedule off', value: Math.round(saturation), unit: 'polls/s' });
  await observed.plant({});
  // The observer's own requests are part of the load.
  const background = saturation * loadShare - (8 * lanes * 1_000) / (floorMs + 10);
  run.progress(`at about ${loadShare * 100} % load: ${Math.round(background)} polls a second beside the observer`);
  const load = await startBackground(run, observed, background);
  figures.push(...(await watched('70 % load', () => observed.observe(many))));
  figures.push(await smallestPlant(run, observed, few));
  await observed.plant({ handlerMs: 20 });
  figures.push(mustNotShow('70 % load, 20 ms planted inside the handlers', (await observed.observe(few)).together));
  await load.end();
  return figures;
};

/** What the machine bears when answers leave as soon as they are ready. */
async function saturationOf(run: BenchRun, observed: ObservedMesh): Promise<number> {
  run.progress('looking for the saturation');
  await observed.plant({ floorOff: true });
  const { answers, seconds } = await runLoad(run, observed.mesh, {
    connections: 100,
    warmUpMs: 3_000,
    measureMs: run.quick ? 5_000 : 10_000,
    expectedStatus: 200,
    requests: { kind: 'polls', seed: tokenSeed, count: tokens },
  });
  return answers / seconds;
}

async function watched(run: string, observe: () => Promise<Observation>): Promise<Figure[]> {
  const before = { cpu: machineCpuSeconds(), at: performance.now() };
  const { surfaces, together } = await observe();
  const seconds = (performance.now() - before.at) / 1_000;
  const busy = (machineCpuSeconds() - before.cpu) / (seconds * availableParallelism());
  return [
    ...[...surfaces, together].flatMap((told) => [timeFigure(run, told), sizeFigure(run, told)]),
    { name: `${run}, answers that were no success`, value: together.failed, unit: 'answers', goal: { atMost: 0 } },
    { name: `${run}, real answers that missed the first slot`, value: percent(together.late.real), unit: '%' },
    { name: `${run}, fake answers that missed the first slot`, value: percent(together.late.fake), unit: '%' },
    { name: `${run}, machine busy`, value: percent(busy), unit: '%' },
    { name: `${run}, load average`, value: rounded(loadavg()[0] ?? 0), unit: 'processes' },
  ];
}

const percent = (share: number): number => rounded(share * 100, 1);

const aucOf = (samples: number): string => `AUC of ${samples.toLocaleString('en-US')}`;

function timeFigure(run: string, { name, time, bound, samples }: Told): Figure {
  return {
    name: `${run}, ${name}, time`,
    value: rounded(time, 4),
    unit: aucOf(samples),
    goal: { atMost: rounded(bound, 4) },
  };
}

function sizeFigure(run: string, { name, size, bound, samples }: Told): Figure {
  return {
    name: `${run}, ${name}, size`,
    value: rounded(size, 4),
    unit: aucOf(samples),
    goal: { atMost: rounded(bound, 4) },
  };
}

function mustNotShow(name: string, { time, bound, samples }: Told): Figure {
  return { name, value: rounded(time, 4), unit: aucOf(samples), goal: { atMost: rounded(bound, 4) } };
}

function mustShow(name: string, { time, bound, samples }: Told): Figure {
  return { name, value: rounded(time, 4), unit: aucOf(samples), goal: { atLeast: rounded(bound, 4) } };
}

/** The measurement's resolution under load (decision 15). */
async function smallestPlant(
  run: BenchRun,
  observed: ObservedMesh,
  size: { lanes: number; requests: number },
): Promise<Figure> {
  const name = '70 % load, smallest plant in when answers leave that fails';
  for (const leaveMs of plantsUnderLoad) {
    run.progress(`under load, ${leaveMs} ms planted`);
    await observed.plant({ leaveMs });
    const { time, bound } = (await observed.observe(size)).together;
    if (time > bound) return { name, value: leaveMs, unit: 'ms' };
  }
  throw new Error('no plant was found under load');
}
