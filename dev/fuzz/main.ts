import { randomInt } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { removeHome } from '../mesh/home.ts';
import { startMesh } from '../mesh/mesh.ts';
import { type FuzzReport, fuzzMesh, runFuzz } from './run-fuzz.ts';

const help = `npm run fuzz [-- --inputs N] [--seed S] [--only NAME]

Feeds hostile inputs to every decoder and every route of a mesh of its own and fails on a crash, an answer that is a
server error or repeats the input, an error in a log, growing memory, or a mesh that serves no more at the end.

  --inputs N   how many, over all targets; 20,000 unless said otherwise
  --seed S     repeats a run
  --only NAME  targets whose name contains NAME
`;

const { values } = parseArgs({
  options: {
    inputs: { type: 'string' },
    seed: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
});
const inputs = Number(values.inputs ?? 20_000);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (values.help) process.stdout.write(help);
else if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('--inputs and --seed take whole numbers\n');
  process.exitCode = 2;
} else process.exitCode = (await run()) ? 0 : 1;

async function run(): Promise<boolean> {
  const started = performance.now();
  const home = mkdtempSync(join(tmpdir(), 'cwa-fuzz-home-'));
  process.stdout.write(`seed ${seed}\n`);
  const mesh = await startMesh({ home, anyPorts: true, ...fuzzMesh });
  const stop = async () => {
    await mesh.close();
    removeHome(home);
  };
  const onSignal = () => void stop().then(() => process.exit(130));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const progress = (line: string) => void process.stderr.write(`${line}\n`);
    const report = await runFuzz(mesh, {
      inputs,
      seed,
      progress,
      ...(values.only === undefined ? {} : { only: values.only }),
    });
    print(report);
    process.stdout.write(
      `${report.faults.length === 0 ? 'held' : 'FAILED'} after ${((performance.now() - started) / 1000).toFixed(0)} s, seed ${seed}\n`,
    );
    return report.faults.length === 0;
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await stop();
  }
}

function print({ inputs, targets, growth, faults }: FuzzReport): void {
  for (const [name, run] of targets) {
    const verdicts = [...run.verdicts]
      .sort(([, a], [, b]) => b - a)
      .map(([verdict, count]) => `${verdict} ${count.toLocaleString('en-US')}`);
    process.stdout.write(
      `${run.failure === undefined ? '✓' : '✗'} ${name.padEnd(36)} ${run.inputs.toLocaleString('en-US').padStart(9)}   ${verdicts.join(', ')}\n`,
    );
  }
  process.stdout.write(
    `  inputs ${inputs.toLocaleString('en-US')}; memory ${[...growth].map(([name, mb]) => `${name} ${mb >= 0 ? '+' : ''}${mb} MB`).join(', ')}\n`,
  );
  for (const fault of faults) process.stdout.write(`✗ ${fault}\n`);
}
