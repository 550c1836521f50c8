import type { Command } from 'commander';
import { checkVectorFile } from '../../phone/vector-check.ts';

/** `cwa phone check`: a vector file through the phone's own code (decision 6). */
export function addPhoneCommands(program: Command): void {
  program
    .command('phone')
    .description('try the reference phone')
    .command('check')
    .description('run a vector file through the phone; exit status 0 all passed, 1 some failed, 2 not a vector file')
    .argument('<file>', 'cryptography vectors, or risk calculation cases (v1 or v2)')
    .option('--config <file>', 'configuration to use instead of the one a risk file names')
    .option('--json', 'print one JSON object')
    .action((file: string, options: { config?: string; json?: boolean }) => {
      const { cases } = checkVectorFile(file, options.config === undefined ? {} : { config: options.config });
      const failed = cases.filter(({ ok }) => !ok).length;
      if (options.json) process.stdout.write(`${JSON.stringify({ passed: cases.length - failed, failed, cases })}\n`);
      else {
        for (const { name, ok, detail } of cases) {
          process.stdout.write(`${ok ? 'ok  ' : 'FAIL'}  ${name}${detail === undefined ? '' : `: ${detail}`}\n`);
        }
        process.stdout.write(`${cases.length - failed} passed, ${failed} failed\n`);
      }
      process.exitCode = failed === 0 ? 0 : 1;
    });
}
