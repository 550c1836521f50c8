import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { homeOf } from '../home.ts';
import { askControl } from '../mesh/control.ts';
import { removeHome } from '../mesh/home.ts';

/** `cwa reset`: removes all state of the local run, wherever decision 3 put it. */
export function addResetCommand(program: Command): void {
  program
    .command('reset')
    .description('delete all state of the local run (databases, objects, keys, clock)')
    .action(async () => {
      const home = homeOf(process.env);
      const running = await askControl(home, 'GET', '/clock').then(
        () => true,
        () => false,
      );
      if (running) throw new Error(`a mesh is running in ${home}: stop it first`);
      const existed = existsSync(home);
      removeHome(home);
      process.stdout.write(existed ? `removed ${home}\n` : `nothing to remove: ${home} does not exist\n`);
    });
}
