import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { type Team, teams } from '../../ops-api/teams.ts';
import { homeOf } from '../home.ts';
import { secretFileOf } from '../identity-provider/secrets.ts';
import { fetchToken } from '../identity-provider/token.ts';
import { issuerFileOf } from '../mesh/identity-provider.ts';

interface TokenCommandOptions {
  readonly team: Team;
  readonly json?: boolean;
}

/** `cwa ops token`: what an operator of the local run shows to the ops API. */
export function addOpsTokenCommand(program: Command): void {
  const ops = program.commands.find((command) => command.name() === 'ops') ?? program.command('ops');
  if (ops.description() === '') ops.description('what operators of the local run do');
  ops
    .command('token')
    .description('print an access token for the ops API, good for 15 minutes')
    .addOption(new Option('--team <team>', 'whose operator').choices(teams).makeOptionMandatory())
    .option('--json', 'print one JSON object')
    .action(async ({ team, json }: TokenCommandOptions) => {
      const home = homeOf(process.env);
      if (!existsSync(issuerFileOf(home))) {
        throw new Error(`no identity provider runs in ${home}: start the system with npm start`);
      }
      const { issuer } = JSON.parse(readFileSync(issuerFileOf(home), 'utf8')) as { issuer: string };
      const answer = await fetchToken({
        issuer,
        ca: readFileSync(join(home, 'pki', 'ca.crt'), 'utf8'),
        client: team,
        secret: readFileSync(secretFileOf(join(home, 'secrets'), team), 'utf8'),
      });
      process.stdout.write(json ? `${JSON.stringify({ team, issuer, ...answer })}\n` : `${answer.access_token}\n`);
    });
}
