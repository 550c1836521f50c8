import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { homeOf } from '../home.ts';
import { openLab, type PcrResult, pcrCodes } from '../journey/lab.ts';
import { publicPorts } from '../mesh/ports.ts';
import { readInput } from './input.ts';
import { checkLab } from './lab-check.ts';

/** `cwa lab report` and `cwa lab check`: what a laboratory does, and whether it is answered as it may rely on. */
export function addLabCommands(program: Command): void {
  const lab = program.command('lab').description('act as a laboratory of the running local mesh');
  lab
    .command('report')
    .description('report one PCR result for each GUID')
    .argument('<guid...>', 'GUIDs as printed in the QR codes')
    .addOption(new Option('--result <result>', 'what was found').choices(Object.keys(pcrCodes)).default('positive'))
    .action(async (guids: string[], options: { result: PcrResult }) => {
      const lab = openLab(homeOf(process.env), partnerPort());
      try {
        const { status } = await lab.report(guids, options.result);
        if (status !== 204) throw new Error(`the gateway refused the list with status ${status}`);
        process.stdout.write(`reported ${guids.length} × ${options.result}\n`);
      } finally {
        await lab.close();
      }
    });
  lab
    .command('check')
    .description('deliver good and bad lists under random ids; exit status 0 all as it must be, 1 not')
    .option('--url <url>', 'partners’ port', `https://localhost:${partnerPort()}`)
    .option('--cert <file>', 'client certificate, PEM; default: the local laboratory’s')
    .option('--key <file>', 'its key, PEM')
    .option('--ca <file>', 'authority of the gateway’s certificate, PEM')
    .option('--lab-id <labId>', 'one that is listed for the certificate')
    .action(async (options: { url: string; cert?: string; key?: string; ca?: string; labId?: string }) => {
      const file = (given: string | undefined, name: string) =>
        readInput(given ?? join(homeOf(process.env), 'pki', name), async (bytes) => bytes.toString());
      const cases = await checkLab({
        url: options.url.replace(/\/$/, ''),
        ca: await file(options.ca, 'ca.crt'),
        cert: await file(options.cert, 'lab.crt'),
        key: await file(options.key, 'lab.key'),
        ...(options.labId === undefined ? {} : { labId: options.labId }),
      });
      for (const { name, ok, detail } of cases) {
        process.stdout.write(`${ok ? 'PASS' : 'FAIL'}  ${name}${detail === undefined ? '' : `: ${detail}`}\n`);
      }
      const failed = cases.filter(({ ok }) => !ok).length;
      process.stdout.write(`${cases.length - failed} passed, ${failed} failed\n`);
      process.exitCode = failed === 0 ? 0 : 1;
    });
}

const partnerPort = (): number => Number(process.env['GATEWAY_PARTNER_PORT'] || publicPorts.GATEWAY_PARTNER_PORT);
