#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { ConfigError } from '../lib/process/config.ts';
import { addClockCommands } from './commands/clock.ts';
import { addConfigCommands } from './commands/config.ts';
import { addExportCommands } from './commands/export.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addLabCommands } from './commands/lab.ts';
import { addPhoneCommands } from './commands/phone.ts';
import { addReplayCommand } from './commands/replay.ts';
import { addResetCommand } from './commands/reset.ts';

/** The operator's and tester's tool. Exit status: 0 done, 1 a check failed, 2 the input or call cannot be used. */
const program = new Command('cwa')
  .description('Inspect and verify key exports, try the phone, move the clock of a local run, replay real key files.')
  .showHelpAfterError()
  .exitOverride();

addExportCommands(program);
addConfigCommands(program);
addKeysCommands(program);
addPhoneCommands(program);
addLabCommands(program);
addReplayCommand(program);
addClockCommands(program);
addResetCommand(program);

try {
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
