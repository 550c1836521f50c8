import type { Command } from 'commander';
import { type Rehearsal, rehearseRotation, type RotationRow } from '../rotation/rehearse.ts';

/** `cwa keys`: the signing keys of packages and configuration. */
export function addKeysCommands(program: Command): void {
  program
    .command('keys')
    .description('signing keys of packages and configuration')
    .command('rotate')
    .description('rehearse a rotation with overlap on a mesh of its own; exit status 0 it held, 1 it did not')
    .option('--json', 'print {rows,etagChanges,faults,held} as one JSON object')
    .action(async (options: { json?: boolean }) => {
      const rehearsal = await rehearseRotation((text) => process.stderr.write(`${text}\n`));
      process.stdout.write(options.json ? `${JSON.stringify(rehearsal)}\n` : table(rehearsal));
      process.exitCode = rehearsal.held ? 0 : 1;
    });
}

function table({ rows, etagChanges, faults, held }: Rehearsal): string {
  const width = Math.max(...rows.map(({ path }) => path.length));
  const line = (stage: string, path: string, ...rest: string[]) =>
    [stage.padEnd(8), path.padEnd(width), ...rest.map((text) => text.padEnd(8))].join('  ').trimEnd();
  const takes = (yes: boolean) => (yes ? 'takes' : 'refuses');
  const rowLine = ({ stage, path, keys, oldOnly, newOnly, asExpected }: RotationRow) =>
    line(stage, path, keys === null ? '' : String(keys), takes(oldOnly), takes(newOnly), asExpected ? 'ok' : 'WRONG');
  const changes = Object.entries(etagChanges).map(([path, n]) => line('', path, String(n), n === 2 ? 'ok' : 'WRONG'));
  return [
    line('stage', 'file', 'keys', 'old key', 'new key'),
    ...rows.map(rowLine),
    '',
    line('', 'changes of the ETag'),
    ...changes,
    '',
    ...faults.map((fault) => `WRONG  ${fault}`),
    held ? 'the rotation held' : 'the rotation did not hold',
    '',
  ].join('\n');
}
