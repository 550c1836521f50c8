import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { ConfigError } from '../../lib/process/config.ts';
import { homeOf } from '../home.ts';
import { openLab, type PcrResult, pcrCodes } from '../journey/lab.ts';
import { askControl } from '../mesh/control.ts';
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
      const bad = guids.find((guid) => !guidPattern.test(guid));
      if (bad !== undefined) throw new Error(`${bad}: is no GUID such as ABCDEF-01234567-89AB-4CDE-8F01-23456789ABCD`);
      const home = homeOf(process.env);
      const missing = new Error(`no mesh answers for ${home} on port ${partnerPort()}: start it with npm start`);
      if (!existsSync(join(home, 'pki', 'lab.crt'))) throw missing;
      const lab = openLab(home, partnerPort());
      try {
        const { status } = await lab.report(guids, options.result).catch((cause: unknown) => {
          throw Object.assign(missing, { cause });
        });
        if (status !== 204) throw new Error(`the gateway refused the list with status ${status}`);
        process.stdout.write(`reported ${guids.length} × ${options.result}\n`);
      } finally {
        await lab.close();
      }
    });
  lab
    .command('check')
    .description('deliver good and bad lists under random ids; exit status 0 all as it must be, 1 not')
    .option('--url <url>', 'partners’ port; default: that of the local mesh')
    .option('--cert <file>', 'client certificate, PEM; default: the local laboratory’s')
    .option('--key <file>', 'its key, PEM')
    .option('--ca <file>', 'authority of the gateway’s certificate, PEM')
    .option('--lab-id <labId>', 'one that is listed for the certificate')
    .action(async (options: { url?: string; cert?: string; key?: string; ca?: string; labId?: string }) => {
      const home = homeOf(process.env);
      // Of a mesh that does not run every case would fail.
      if (options.url === undefined) await askControl(home, 'GET', '/clock');
      const file = (given: string | undefined, name: string) =>
        readInput(given ?? join(home, 'pki', name), async (bytes) => bytes.toString());
      const cases = await checkLab({
        url: (options.url ?? `https://localhost:${partnerPort()}`).replace(/\/$/, ''),
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

/** S 2.8, as printed in the QR code. */
const guidPattern = /^[a-f\d]{6}-[a-f\d]{8}-([a-f\d]{4}-){3}[a-f\d]{12}$/i;

function partnerPort(): number {
  const text = process.env['GATEWAY_PARTNER_PORT'] || String(publicPorts.GATEWAY_PARTNER_PORT);
  if (!/^\d{1,5}$/.test(text)) throw new ConfigError(['GATEWAY_PARTNER_PORT: must be a whole number from 1 to 65535']);
  return Number(text);
}
