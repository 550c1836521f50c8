import { parseArgs } from 'node:util';
import { type Bench, type Deferred, deferred } from './bench.ts';
import { fortnight } from './fortnight.ts';
import { downloads } from './downloads.ts';
import { largeDay } from './large-day.ts';
import { exportKeys } from './export.ts';
import { matching } from './matching.ts';
import { intake } from './intake.ts';
import { polls } from './polls.ts';
import { privacy } from './privacy/privacy.ts';
import { memory, ready } from './ready.ts';
import { type FigureRecord, lineOf, originNow, recordOf, writeRecords } from './record.ts';
import { stream } from './stream.ts';
import { telemetry } from './telemetry.ts';
import { uploads } from './uploads.ts';

const benches: Readonly<Record<string, { readonly what: string; readonly bench: Bench }>> = {
  ready: { what: 'seconds from the start of a fresh home to the line `ready`', bench: ready },
  memory: { what: 'memory of all processes when idle', bench: memory },
  uploads: { what: 'uploads of 14 keys with TAN, from TLS at the edge to the committed row', bench: uploads },
  telemetry: { what: 'CPU that telemetry adds to an upload: ten pairs of runs with and without it', bench: telemetry },
  privacy: { what: 'whether an observer of answers can tell real requests from fake ones', bench: privacy },
  intake: { what: 'a minute of uploads and a minute of polls, then both on the schedule', bench: intake },
  polls: { what: 'polls of test results', bench: polls },
  stream: { what: 'diagnosis keys read by distribution through the columnar stream', bench: stream },
  fortnight: {
    what: '5 million keys of a nation: everything from an empty object store, then an hour',
    bench: fortnight,
  },
  'large-day': { what: 'a day of 1.2 million keys, each found again by an independent parser', bench: largeDay },
  export: { what: 'distribution run over 100,000 keys, from rows to published signed archives', bench: exportKeys },
  downloads: { what: 'indexes, hour packages of 20 KB and 304s from the gateway', bench: downloads },
  matching: { what: "24,000 keys of 144 identifiers against a phone's sightings", bench: matching },
};

const help = `npm run bench [-- NAME…] [--json FILE] [--profile FOLDER]

Measures the system on this machine, one figure a line; without names everything.
A goal that is missed is reported as missed; the exit status is 0 unless a benchmark itself fails.

${Object.entries(benches)
  .map(([name, { what }]) => `  ${name.padEnd(12)} ${what}`)
  .join('\n')}

  --json FILE       writes an array of {name, value, unit, goal, pass, machine, commit, date}
  --scale SHARE     only this share of the keys of a nation, such as 0.1: quicker, and no proof of its goals
  --quick           with fewer samples, where a benchmark knows how (privacy, intake)
  --profile FOLDER  writes a CPU profile of each process of the mesh (opens in Chromium's developer tools);
                    figures are then lower
`;

const { values, positionals } = readArguments();
if (values.help) process.stdout.write(help);
else await runAll(positionals.length > 0 ? positionals : Object.keys(benches));

async function runAll(names: readonly string[]): Promise<void> {
  const origin = originNow();
  const records: FigureRecord[] = [];
  let current: Deferred | undefined;
  let interrupted = false;
  const interrupt = async (): Promise<void> => {
    if (interrupted) return;
    interrupted = true;
    process.stderr.write('stopping …\n');
    await current?.undo().catch(() => {});
    process.exit(130);
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);

  process.stdout.write(`machine: ${origin.machine}\n`);
  for (const name of names) {
    current = deferred();
    try {
      for (const figure of await runOne(name, current)) {
        const record = recordOf(figure, origin);
        records.push(record);
        process.stdout.write(`${lineOf(record)}\n`);
      }
    } catch (error) {
      // What an interrupt tears down fails in passing.
      if (interrupted) return;
      process.stderr.write(`${name}: failed: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 1;
    }
  }
  if (values.json !== undefined) writeRecords(values.json, records);
}

async function runOne(name: string, { defer, undo }: Deferred) {
  const { profile } = values;
  const progress = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  try {
    return await (benches[name] as { bench: Bench }).bench({
      progress,
      defer,
      scale: Number(values.scale ?? 1),
      ...(profile === undefined ? {} : { profileFolder: profile }),
      ...(values.quick ? { quick: true } : {}),
    });
  } finally {
    await undo();
  }
}

function readArguments() {
  try {
    const parsed = parseArgs({
      options: {
        json: { type: 'string' },
        scale: { type: 'string' },
        profile: { type: 'string' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    });
    const unknown = parsed.positionals.find((name) => !(name in benches));
    if (unknown === undefined) return parsed;
    process.stderr.write(`there is no benchmark ${unknown}; there are ${Object.keys(benches).join(', ')}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : 'wrong arguments'}\n`);
  }
  process.exit(2);
}
