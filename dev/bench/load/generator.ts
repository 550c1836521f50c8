import { setTimeout as delay } from 'node:timers/promises';
import { secureRandom } from '../../../lib/random/random.ts';
import { type Connection, openConnection } from './connection.ts';
import type { LoadJob, LoadMessage, LoadResult } from './job.ts';
import { requestsOf } from './requests.ts';

/** The load generator: a process of its own that runs one job, sent by its parent, and ends. */
process.once('message', (job) => {
  run(job as LoadJob)
    .then((result) => tell({ phase: 'result', result }))
    .catch((error: unknown) => tell({ phase: 'failed', reason: error instanceof Error ? error.message : 'failed' }))
    .finally(() => process.exit());
});
// Without its parent nobody wants the load.
process.once('disconnect', () => process.exit());

const tell = (message: LoadMessage): Promise<void> => new Promise((done) => process.send?.(message, () => done()));

async function run(job: LoadJob): Promise<LoadResult> {
  const next = requestsOf(job.requests);
  const latencies: number[] = [];
  let failure: string | undefined;
  let measuring = false;
  let stopped = false;
  let inFlight = 0;
  let received = 0;

  const fail = (reason: string): void => {
    failure ??= reason;
    stopped = true;
  };
  const lanes = Array.from({ length: job.connections }, () => ({
    connection: undefined as Connection | undefined,
    sentAt: 0,
  }));
  const send = (lane: (typeof lanes)[number]): void => {
    if (stopped) return;
    const request = next();
    if (request === undefined) return fail('the seeded requests are used up: seed more');
    inFlight++;
    lane.sentAt = performance.now();
    lane.connection?.send(request);
  };
  const { pauseMs = 0 } = job;
  const begin = (lane: (typeof lanes)[number]): void => {
    if (pauseMs === 0) send(lane);
    else setTimeout(send, secureRandom.int(pauseMs), lane);
  };
  for (const lane of lanes) {
    lane.connection = await openConnection({
      port: job.port,
      ca: job.ca,
      onLost: fail,
      onAnswer(status, octets) {
        inFlight--;
        if (status !== job.expectedStatus)
          return fail(`an answer had status ${status} instead of ${job.expectedStatus}`);
        if (measuring) {
          latencies.push(performance.now() - lane.sentAt);
          received += octets;
        }
        begin(lane);
      },
    });
  }

  for (const lane of lanes) begin(lane);
  await delay(job.warmUpMs);
  await tell({ phase: 'measuring' });
  const startedAt = performance.now();
  measuring = true;
  await delay(job.measureMs);
  measuring = false;
  const seconds = (performance.now() - startedAt) / 1000;
  await tell({ phase: 'measured' });
  stopped = true;
  for (let waits = 0; inFlight > 0 && failure === undefined && waits < 300; waits++) await delay(20);
  if (inFlight > 0) fail('answers were still missing 6 s after the load ended');
  for (const { connection } of lanes) connection?.close();
  if (failure !== undefined) throw new Error(failure);

  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { answers: sorted.length, seconds, p50: at(0.5), p99: at(0.99), bytesPerSecond: received / seconds };
}
