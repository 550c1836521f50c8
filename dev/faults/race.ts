import { isDeepStrictEqual, parseArgs } from 'node:util';
import { startRaceMesh } from './race-mesh.ts';
import { type Counts, races, teleTanLimit } from './races.ts';

const help = `npm run race [-- --rounds N] [--gateway-rounds N] [--width N] [--only TEXT]

Lets a crowd of 1,000 (--width) ask for the same thing at the same moment: two replicas of the services 100 times (10
times where all wait for one row), the gateway's TLS port 10 times. Prints what each crowd had; exit status 1 unless it
was the same every time.
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '100' },
    'gateway-rounds': { type: 'string', default: '10' },
    width: { type: 'string', default: '1000' },
    only: { type: 'string' },
    help: { type: 'boolean' },
  },
});

if (values.help) process.stdout.write(help);
else await run();

async function run(): Promise<void> {
  const width = Number(values.width);
  const m = await startRaceMesh({ width, teleTansPerHour: teleTanLimit(width) });
  let stopping = false;
  // A mesh that is left behind would go on without anybody.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      stopping = true;
    });
  }
  try {
    for (const race of races.filter(({ name }) => !values.only || name.includes(values.only))) {
      const wanted = Number(race.throughGateway ? values['gateway-rounds'] : values.rounds);
      const rounds = race.slow ? Math.ceil(wanted / 10) : wanted;
      const startedAt = performance.now();
      let held = 0;
      for (let round = 1; round <= rounds && !stopping; round++) {
        const counts = await race.round(m, width);
        if (isDeepStrictEqual({ ...counts }, { ...race.expected(width) })) held++;
        else process.stdout.write(`  round ${round}: ${text(counts)}\n`);
      }
      if (stopping) break;
      const where = race.throughGateway ? 'gateway' : 'service';
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
      const what = `${width} ${race.name}: ${text(race.expected(width))}`;
      process.stdout.write(
        `${held === rounds ? '✓' : '✗'} ${where} ${what}: ${held} of ${rounds} rounds, ${seconds} s\n`,
      );
      if (held < rounds) process.exitCode = 1;
    }
  } finally {
    await m.leave();
  }
}

function text(counts: Counts): string {
  return Object.entries(counts)
    .map(([name, n]) => `${n} ${name}`)
    .join(', ');
}
