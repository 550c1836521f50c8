import type { Command } from 'commander';
import { FormatError } from '../../lib/exposure/format-error.ts';
import { decodeKeyExport } from '../../lib/exposure/key-export-reader.ts';
import { replay } from '../replay/replay.ts';
import type { ReplayResult } from '../replay/compare.ts';
import { type ReplayRule, ruleText } from '../replay/replay-plan.ts';
import { exportBin } from './export.ts';
import { readInput } from './input.ts';

/** `cwa replay`: every key of a real file through the whole system (decisions 9 and 10). */
export function addReplayCommand(program: Command): void {
  program
    .command('replay')
    .description('upload every key of a key export through a mesh of its own, publish, download, and account for each')
    .argument('<file>', 'a signed zip, or a bare export.bin; its signature is not checked')
    .option('--json', 'print {in,out,padding,excluded} as one JSON object')
    .action(async (file: string, options: { json?: boolean }) => {
      const { keys, end } = await readInput(file, async (bytes) => {
        const { keys, end } = decodeKeyExport(await exportBin(bytes));
        if (end === undefined) throw new FormatError('VALUE_OUT_OF_RANGE', 'export.bin', 'has no end of its window');
        return { keys, end };
      });
      const result = await replay(keys, end, (text) => process.stderr.write(`${text}\n`));
      process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : table(result));
      const faults = (result.excluded.UNEXPLAINED ?? 0) + (result.excluded.CAME_OUT_CHANGED ?? 0);
      process.exitCode = faults === 0 && accounted(result) === result.in ? 0 : 1;
    });
}

const accounted = ({ out, excluded }: ReplayResult): number =>
  Object.values(excluded).reduce((sum, count) => sum + count, out);

function table(result: ReplayResult): string {
  const row = (text: string, count: number) => `${text.padEnd(52)} ${count.toLocaleString('en-US').padStart(9)}`;
  const rules = (Object.keys(ruleText) as ReplayRule[]).flatMap((rule) => {
    const count = result.excluded[rule];
    return count === undefined ? [] : [[rule, count] as const];
  });
  return [
    row('keys in', result.in),
    row('keys out', result.out),
    ...rules.map(([rule, count]) => row(`  ${ruleText[rule]}`, count)),
    row('accounted for', accounted(result)),
    row('padding keys beside them', result.padding),
    '',
  ].join('\n');
}
