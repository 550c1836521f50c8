import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';
import type { Mesh } from '../mesh/mesh.ts';
import { names, prefixOf } from '../mesh/names.ts';
import { openBenchMesh, openBenchPool } from './bench-mesh.ts';
import type { Bench, BenchRun } from './bench.ts';
import { type Load, runLoad } from './load/run-load.ts';
import { type Figure, median, rounded } from './record.ts';
import { seedTans, tanSeed } from './uploads.ts';

/** TANs of one turn, more than it needs. */
const uploadsEach = 6_000;
const turnMs = 5_000;
/** A flush and a scrape as often as this: six and three times as often as in earnest. */
const flushSeconds = 10;
const scrapeMs = 5_000;
const services = ['gateway', 'submission', 'verification'];

/**
 * What telemetry adds to the CPU-seconds of an upload: two meshes, one of which sends all three signals to a collector
 * and is scraped, while the other counts nothing. They are loaded in turns, at the same steady rate, and what is
 * reported is the median of the differences within the pairs (decision 8).
 */
export const telemetry: Bench = async (run) => {
  const pairs = run.quick ? 3 : 10;
  const collector = await startCollector(run);
  run.progress('starting a mesh with telemetry and one without');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, TELEMETRY_FLUSH_SECONDS: String(flushSeconds) };
  const on = await openBenchMesh(run, { env });
  const off = await openBenchMesh(run, { env: { TELEMETRY_OFF: 'true' } });
  const scrapes = scrape(run, on);
  run.progress('seeding TANs and warming up');
  for (const mesh of [on, off]) {
    await seedTans(openBenchPool(run, mesh, 'VERIFICATION'), (2 * pairs + 1) * uploadsEach, mesh.clock.now());
  }
  const turnsOf = new Map<Mesh, number>();
  const turn = (mesh: Mesh, measureMs: number): Promise<Load> => {
    const nth = turnsOf.get(mesh) ?? 0;
    turnsOf.set(mesh, nth + 1);
    return load(run, mesh, nth, measureMs);
  };
  // Nobody's first uploads count: compiled code and warm caches are part of neither.
  for (const mesh of [on, off]) await turn(mesh, 12_000);

  const costs: Pair[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    // Twice each, mirrored: what the machine does meanwhile, more or less of it with time, falls on both alike.
    const order = pair % 2 === 1 ? [on, off, off, on] : [off, on, on, off];
    const loads = { on: [] as Load[], off: [] as Load[] };
    for (const mesh of order) loads[mesh === on ? 'on' : 'off'].push(await turn(mesh, turnMs));
    const cost = { on: costOf(loads.on), off: costOf(loads.off) };
    costs.push(cost);
    run.progress(`pair ${pair} of ${pairs}: ${rounded(overhead(cost, 'all') * 100)} %`);
  }
  collector.prove();
  if (scrapes.answered === 0) throw new Error('nothing was scraped');
  return figures(costs);
};

/** CPU-seconds of 1,000 uploads: of all processes that one passes, and of those but for PostgreSQL. */
interface Cost {
  readonly all: number;
  readonly services: number;
  readonly disturbance: number;
}

interface Pair {
  readonly on: Cost;
  readonly off: Cost;
}

const load = (run: BenchRun, mesh: Mesh, nth: number, measureMs: number): Promise<Load> =>
  runLoad(run, mesh, {
    // Some 380 a second, far below what the machine bears; with long pauses slow answers hardly make them fewer.
    connections: 400,
    pauseMs: 2_000,
    warmUpMs: 2_000,
    measureMs,
    expectedStatus: 200,
    requests: {
      kind: 'uploads',
      seed: tanSeed,
      first: nth * uploadsEach,
      count: uploadsEach,
      nowSeconds: Math.floor(mesh.clock.nowMs() / 1_000),
    },
  });

function costOf(loads: readonly Load[]): Cost {
  const answers = loads.reduce((sum, one) => sum + one.answers, 0);
  const of = (processes: readonly string[]): number =>
    (loads.reduce((sum, one) => sum + cpuOf(one, processes), 0) / answers) * 1_000;
  const disturbance = Math.max(...loads.map((one) => one.disturbance));
  return { all: of([...services, 'PostgreSQL']), services: of(services), disturbance };
}

const cpuOf = ({ cpu }: Load, processes: readonly string[]): number =>
  processes.reduce((sum, name) => sum + (cpu.get(name) ?? 0), 0);

const overhead = ({ on, off }: Pair, of: 'all' | 'services'): number => on[of] / off[of] - 1;

function figures(costs: readonly Pair[]): Figure[] {
  const percent = (of: 'all' | 'services'): number => rounded(median(costs.map((cost) => overhead(cost, of))) * 100);
  const spent = (which: 'on' | 'off'): number => rounded(median(costs.map((cost) => cost[which].all)), 3);
  const disturbed = median(costs.flatMap(({ on, off }) => [on.disturbance, off.disturbance]));
  const perUploads = 'CPU-seconds per 1,000 uploads';
  return [
    { name: 'telemetry, CPU it adds to an upload', value: percent('all'), unit: '%', goal: { atMost: 5 } },
    { name: 'telemetry, CPU it adds to an upload, PostgreSQL left out', value: percent('services'), unit: '%' },
    { name: 'telemetry, width of the middle half of the pairs', value: middleHalf(costs), unit: 'percentage points' },
    { name: 'telemetry, an upload with it', value: spent('on'), unit: perUploads },
    { name: 'telemetry, an upload without it', value: spent('off'), unit: perUploads },
    { name: 'telemetry, machine busy for others', value: rounded(disturbed * 100, 1), unit: '%' },
  ];
}

/** How far apart the pairs are: a median that is small beside it says little (a busy machine makes it wide). */
function middleHalf(costs: readonly Pair[]): number {
  const sorted = costs.map((cost) => overhead(cost, 'all') * 100).sort((a, b) => a - b);
  const quarter = Math.floor(sorted.length / 4);
  return rounded((sorted.at(-1 - quarter) ?? 0) - (sorted[quarter] ?? 0));
}

/** Takes what is sent and throws it away; a collector's work is not the mesh's. */
async function startCollector(run: BenchRun) {
  const received = new Map<string, number>();
  const server = createServer((request, response) => {
    const signal = request.url ?? '';
    request.resume().once('end', () => {
      received.set(signal, (received.get(signal) ?? 0) + 1);
      response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  run.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    prove(): void {
      const missing = ['/v1/traces', '/v1/metrics', '/v1/logs'].filter((signal) => !received.has(signal));
      if (missing.length > 0) throw new Error(`the collector received nothing at ${missing.join(', ')}`);
    },
  };
}

/** Scrapes every process as Prometheus does. */
function scrape(run: BenchRun, mesh: Mesh): { answered: number } {
  const scrapes = { answered: 0 };
  const ports = mesh.ports as Readonly<Record<string, number>>;
  const timer = setInterval(() => {
    for (const name of names) {
      const url = `http://127.0.0.1:${ports[`${prefixOf(name)}_MANAGEMENT_PORT`]}/metrics`;
      request(url)
        .then(async ({ body }) => {
          await body.dump({ limit: 10_000_000 });
          scrapes.answered++;
        })
        .catch(() => {});
    }
  }, scrapeMs);
  run.defer(() => clearInterval(timer));
  return scrapes;
}
