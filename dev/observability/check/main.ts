import { parseArgs } from 'node:util';
import { ConfigError } from '../../../lib/process/config.ts';
import { holds, table } from './report.ts';
import { runCheck } from './run-check.ts';

const help = `npm run dashboards:check [-- --quick] [-- --json]

Starts a mesh of its own and a Prometheus that scrapes it, drives traffic, and asks every query of the dashboards and
every expression of the rules. Each must parse and return data. The expressions of alerts alone may be empty, because
nothing is wrong; the metrics that they ask for must be there by name. Exit status 0: all so; 1: not; 2: could not ask.

  --quick   with fewer people
  --json    one JSON object instead of the table
`;

const values = readArguments();
if (values?.help === true) process.stdout.write(help);
else if (values !== undefined) await run(values);

function readArguments() {
  const options = { quick: { type: 'boolean' }, json: { type: 'boolean' }, help: { type: 'boolean' } } as const;
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${help}`);
    process.exitCode = 2;
    return undefined;
  }
}

async function run(values: { readonly quick?: boolean; readonly json?: boolean }): Promise<void> {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopping.abort());
  // What was still asked of a mesh that stops fails; nobody waits for it.
  process.on('unhandledRejection', (error) => {
    if (!stopping.signal.aborted) throw error;
  });
  try {
    const people = values.quick === true ? 60 : 200;
    const tell = (progress: string) => void process.stderr.write(`${progress}\n`);
    const result = await runCheck({ people, tell, signal: stopping.signal });
    process.stdout.write(`${values.json === true ? JSON.stringify(result, null, 2) : table(result)}\n`);
    process.exitCode = holds(result) ? 0 : 1;
  } catch (error) {
    const lines =
      error instanceof ConfigError ? error.faults : [error instanceof Error ? error.message : String(error)];
    for (const line of lines) process.stderr.write(`${line}\n`);
    process.exitCode = 2;
  }
}
