#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../lib/process/config.ts';
import { addClockCommands } from './commands/clock.ts';
import { addConfigCommands } from './commands/config.ts';
import { addExportCommands } from './commands/export.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addLabCommands } from './commands/lab.ts';
import { addOpsCommands } from './commands/ops.ts';
import { addOpsTokenCommand } from './commands/ops-token.ts';
import { addPhoneCommands } from './commands/phone.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addResetCommand } from './commands/reset.ts';
import { addSecurityCommands } from './commands/security.ts';

/** The operator's and tester's tool. Exit status: 0 done, 1 a check failed, 2 the input or call cannot be used. */
const program = new Command('cwa')
  .description(
    'Ask a running system as its operators and laboratories do; look into key exports, configurations and keys; move the clock of a local run.',
  )
  .showHelpAfterError()
  .exitOverride();

addExportCommands(program);
addConfigCommands(program);
addKeysCommands(program);
addPhoneCommands(program);
addLabCommands(program);
addOpsCommands(program);
addReplayCommand(program);
addClockCommands(program);
addSecurityCommands(program);
addOpsTokenCommand(program);
addResetCommand(program);

// A reader that has seen enough (`| head`) is no fault; a full disk is one that the caller can mend.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') process.stderr.write(`cwa: the output cannot be written (${error.code ?? 'error'})\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 2);
});

try {
  const [command] = process.argv.slice(2);
  if (
    command !== undefined &&
    !/^-|^help$/.test(command) &&
    !program.commands.some((known) => known.name() === command)
  ) {
    program.error(`error: unknown command '${command}'`);
  }
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    const lines =
      error instanceof ConfigError ? error.faults : [error instanceof Error ? error.message : String(error)];
    for (const line of lines) process.stderr.write(`cwa: ${line}\n`);
    process.exitCode = 2;
  }
}
