import { type Command, Option } from 'commander';
import { homeOf } from '../home.ts';
import { openLab, type PcrResult, pcrCodes } from '../journey/lab.ts';
import { publicPorts } from '../mesh/ports.ts';

/** `cwa lab report`: what a laboratory does, against the running local mesh. */
export function addLabCommands(program: Command): void {
  program
    .command('lab')
    .description('act as a laboratory of the running local mesh')
    .command('report')
    .description('report one PCR result for each GUID')
    .argument('<guid...>', 'GUIDs as printed in the QR codes')
    .addOption(new Option('--result <result>', 'what was found').choices(Object.keys(pcrCodes)).default('positive'))
    .action(async (guids: string[], options: { result: PcrResult }) => {
      const port = Number(process.env['GATEWAY_PARTNER_PORT'] || publicPorts.GATEWAY_PARTNER_PORT);
      const lab = openLab(homeOf(process.env), port);
      try {
        const { status } = await lab.report(guids, options.result);
        if (status !== 204) throw new Error(`the gateway refused the list with status ${status}`);
        process.stdout.write(`reported ${guids.length} × ${options.result}\n`);
      } finally {
        await lab.close();
      }
    });
}
