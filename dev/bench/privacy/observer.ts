import { setTimeout as delay } from 'node:timers/promises';
import { secureRandom } from '../../../lib/random/random.ts';
import { seededUuid } from '../load/seeded-uuid.ts';
import type { PrivacyJob, PrivacyMessage, SeenOfSurface } from './job.ts';
import { type Kind, type Seeded, type Surface, surfaces } from './surfaces.ts';
import { openWireClient, type WireClient } from './wire-client.ts';

/** The observer: a process of its own that sends real and fake requests in random order and notes what it sees. */
process.once('message', (job) => {
  observe(job as PrivacyJob)
    .then(tell)
    .catch((error: unknown) => tell({ phase: 'failed', reason: error instanceof Error ? error.message : 'failed' }))
    .finally(() => process.exit());
});
process.once('disconnect', () => process.exit());

const tell = (message: PrivacyMessage): Promise<void> => new Promise((done) => process.send?.(message, () => done()));

interface Lane {
  readonly client: WireClient;
  readonly surface: Surface;
  readonly seen: SeenOfSurface;
  readonly requests: readonly (readonly [Kind, Buffer])[];
}

async function observe(job: PrivacyJob): Promise<PrivacyMessage> {
  let tansUsed = 0;
  const { seed } = job;
  const seeded: Seeded = {
    random: secureRandom,
    nowSeconds: job.nowSeconds,
    tan: () => seededUuid(seed.tans, seed.firstTan + tansUsed++),
    token: () => seededUuid(seed.tokens, secureRandom.int(seed.tokenCount)),
  };
  const seen = surfaces.map(({ name }) => ({
    name,
    ms: { real: [], fake: [] },
    octets: { real: [], fake: [] },
    failed: 0,
  }));
  const lanes: Lane[] = [];
  for (const [at, surface] of surfaces.entries()) {
    for (let i = 0; i < job.lanes; i++) {
      const client = await openWireClient(i % 2 === 0 ? 'HTTP/1.1' : 'HTTP/2', job);
      lanes.push({
        client,
        surface,
        seen: seen[at] as SeenOfSurface,
        requests: requestsOf(job, client, surface, seeded),
      });
    }
  }
  await Promise.all(lanes.map(run));
  for (const { client } of lanes) client.close();
  return { phase: 'seen', surfaces: seen, tansUsed };
}

/** As many real as fake ones, in random order, all ready to be sent. */
function requestsOf(job: PrivacyJob, client: WireClient, surface: Surface, seeded: Seeded): Lane['requests'] {
  const kinds = Array.from({ length: job.requests }, (_, i): Kind => (i % 2 === 0 ? 'real' : 'fake'));
  return secureRandom.shuffle(kinds).map((kind) => [kind, client.prepare(surface.request(kind, seeded))] as const);
}

async function run({ client, surface, seen, requests }: Lane): Promise<void> {
  await delay(secureRandom.int(500));
  for (const [kind, prepared] of requests) {
    const { status, ms, octets } = await client.send(prepared);
    if (status === surface.status) {
      seen.ms[kind].push(ms);
      seen.octets[kind].push(octets);
    } else seen.failed++;
    // Lanes must not come in step.
    await delay(secureRandom.int(20));
  }
}
