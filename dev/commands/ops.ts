import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../../lib/process/config.ts';
import { readOperations } from '../../ops-api/persisted-operations.ts';
import { rangesAt } from '../../ops-api/status-page/status-page.ts';
import type { Status } from '../../ops-api/status-page/status.ts';
import { statusText } from './ops-status-text.ts';
import { type Team, teams } from '../../ops-api/teams.ts';
import { homeOf } from '../home.ts';
import { operatorName } from '../mesh/certificates.ts';
import { publicPorts } from '../mesh/ports.ts';
import { type OpsAnswer, type OpsClient, opsClientOf } from '../operators/ops-client.ts';
import { readInput } from './input.ts';

interface OpsOptions {
  readonly team: Team;
  readonly json?: boolean;
  readonly from?: string;
  readonly to?: string;
  readonly resolution?: string;
}

const teamOption = (): Option =>
  new Option('--team <team>', 'whose certificate of the local run to use').choices(teams).default('ops-cwa');

/** `cwa ops query` and `cwa ops status`: what an operator sees of the running local mesh. */
export function addOpsCommands(program: Command): void {
  const ops = program.command('ops').description('ask the ops API of the running local mesh, as an operator of a team');
  ops
    .command('query')
    .description('ask a stored query by its name, or the one in a file; the answer is JSON')
    .argument(
      '<file|name>',
      `a file with GraphQL, or one of: ${readOperations()
        .map(({ name }) => name)
        .join(', ')}`,
    )
    .addOption(teamOption())
    .option('--from <time>', 'begin of $range, such as 2026-02-01T12:00:00Z')
    .option('--to <time>', 'end of $range')
    .addOption(new Option('--resolution <slot>', 'slots of $range').choices(['MINUTE', 'FIVE_MINUTES', 'HOUR', 'DAY']))
    .option('--json', 'print the answer on one line')
    .action(async (query: string, options: OpsOptions) => {
      const variables = rangeOf(options);
      const { data, errors } = await asked(options.team, await requestOf(query, variables));
      const answer = { data, ...(errors ? { errors } : {}) };
      process.stdout.write(`${JSON.stringify(answer, null, options.json ? 0 : 2)}\n`);
      process.exitCode = errors ? 1 : 0;
    });
  ops
    .command('status')
    .description('what the status page says, in a terminal; exit status 1 when something is not as expected')
    .addOption(teamOption())
    .option('--json', 'print one JSON object')
    .action(async (options: OpsOptions) => {
      const { data, date } = await asked(options.team, async (client) => {
        const { date } = await client.stored('me');
        return client.stored('status', rangesAt(Date.parse(date)));
      });
      const { lines, hints } = statusText(data as Status, new Date(date));
      const json = JSON.stringify({ team: options.team, hints, ...(data as object) });
      process.stdout.write(options.json ? `${json}\n` : `${lines.join('\n')}\n`);
      process.exitCode = hints.length === 0 ? 0 : 1;
    });
}

type Ask = (client: OpsClient) => Promise<OpsAnswer>;

async function requestOf(query: string, variables: object): Promise<Ask> {
  if (readOperations().some(({ name }) => name === query)) return (client) => client.stored(query, variables);
  if (!existsSync(query)) {
    const names = readOperations().map(({ name }) => name);
    throw new Error(`${query}: neither a file nor a stored query; stored are ${names.join(', ')}`);
  }
  const text = await readInput(query, async (bytes) => bytes.toString());
  return (client) => client.query(text, variables);
}

function rangeOf({ from, to, resolution }: OpsOptions): object {
  const range = Object.entries({ from, to, resolution }).filter(([, value]) => value !== undefined);
  return range.length === 0 ? {} : { range: Object.fromEntries(range) };
}

async function asked(team: Team, ask: Ask): Promise<OpsAnswer> {
  const home = homeOf(process.env);
  const port = operatorPort();
  const missing = `no ops API answers for ${home} on port ${port}: start the mesh with npm start`;
  if (!existsSync(join(home, 'pki', `${operatorName(team)}.crt`))) throw new Error(missing);
  const client = opsClientOf(home, port, operatorName(team));
  try {
    const answer = await ask(client).catch((cause: unknown) => {
      throw new Error(missing, { cause });
    });
    if (answer.data === undefined && answer.errors === undefined) {
      throw new Error(
        `the ops API refused with status ${answer.status}: ${answer.text.trim()} (see also ${home}/log/ops-api.log)`,
      );
    }
    return answer;
  } finally {
    await client.close();
  }
}

function operatorPort(): number {
  const text = process.env['OPS_API_OPERATOR_PORT'] || String(publicPorts.OPS_API_OPERATOR_PORT);
  if (!/^\d{1,5}$/.test(text)) throw new ConfigError(['OPS_API_OPERATOR_PORT: must be a whole number from 1 to 65535']);
  return Number(text);
}
