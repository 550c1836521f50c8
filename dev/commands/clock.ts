import type { Command } from 'commander';
import { homeOf } from '../home.ts';
import { askControl } from '../mesh/control.ts';
import { parseDuration } from './duration.ts';

interface ClockAnswer {
  now: string;
  systemNow: string;
  offsetMs: number;
}

/** `cwa clock` and `cwa clock advance` (decision 1). */
export function addClockCommands(program: Command): void {
  const clock = program
    .command('clock')
    .description('print the time of the running local mesh')
    .option('--json', 'print one JSON object')
    .action(async (options: { json?: boolean }) => {
      const answer = await askControl<ClockAnswer>(homeOf(process.env), 'GET', '/clock');
      const ahead = (answer.offsetMs / 3_600_000).toFixed(2);
      process.stdout.write(
        options.json ? `${JSON.stringify(answer)}\n` : `${answer.now} (${ahead} h ahead of this machine)\n`,
      );
    });
  clock
    .command('advance')
    .description('move the clock forward and wait until every distribution run then due has finished')
    .argument('<duration>', 'for example 90s, 15m, 3h, 1d12h', parseDuration)
    .option('--json', 'print one JSON object')
    .action(async (ms: number, options: { json?: boolean }, command: Command) => {
      const json = options.json ?? command.optsWithGlobals<{ json?: boolean }>().json;
      const answer = await askControl<{ now: string; distributionRuns: number }>(
        homeOf(process.env),
        'POST',
        `/clock/advance?ms=${ms}`,
      );
      process.stdout.write(
        json ? `${JSON.stringify(answer)}\n` : `${answer.now} after ${answer.distributionRuns} distribution runs\n`,
      );
    });
}
