import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { removeEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
import { homeOf } from '../home.ts';
import { askControl } from '../mesh/control.ts';

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
      removeEmbeddedPostgres(join(home, 'postgres'));
      rmSync(home, { recursive: true, force: true });
      process.stdout.write(existed ? `removed ${home}\n` : `nothing to remove: ${home} does not exist\n`);
    });
}
