import { parseArgs } from 'node:util';
import { startFaultyMesh } from './faulty-mesh.ts';
import { killPointsOf } from './kill-points.ts';
import { type Journey, journeys, type Manner, manners, sitesOf } from './kill-sites.ts';
import { tally } from './tally.ts';

const help = `npm run kill-points [-- --journey tan|upload|takeover] [--manner ${manners.join('|')}] [--link TEXT] [--verbose]

Fails every message of an upload on every link, in every manner, and lets the phone repeat itself: prints how many points
there were and how each ended. Exit status 1 when anything was lost, doubled or refused.
`;

const { values } = parseArgs({
  options: {
    journey: { type: 'string' },
    manner: { type: 'string' },
    link: { type: 'string' },
    verbose: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

if (values.help) process.stdout.write(help);
else await run();

async function run(): Promise<void> {
  const wanted = (Object.keys(journeys) as Journey[])
    .filter((journey) => !values.journey || journey === values.journey)
    .flatMap((journey) => sitesOf(journey))
    .filter(({ manner }) => !values.manner || manner === (values.manner as Manner))
    .filter(({ link }) => !values.link || link.includes(values.link));
  const faulty = await startFaultyMesh();
  let stopping = false;
  // A mesh that is left behind would go on without anybody.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopping = true;
    });
  }
  const sums = tally();
  try {
    const points = killPointsOf(faulty);
    for (const site of wanted) {
      for await (const outcome of points.enumerate(site)) {
        sums.add(outcome);
        if (values.verbose || outcome.faults.length > 0) process.stdout.write(`${sums.line(outcome)}\n`);
        if (stopping) break;
      }
      if (stopping) break;
    }
    await points.close();
  } finally {
    await faulty.leave();
  }
  process.stdout.write(sums.table());
  if (sums.failures > 0) process.exitCode = 1;
}
