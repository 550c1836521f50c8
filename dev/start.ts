import { Command } from 'commander';
import { localRun } from './local-run.ts';

const command = new Command('npm start --')
  .description('The whole system on this machine: ready when the guided journey has ended well, running until stopped.')
  .option('--telemetry', 'receive traces, metrics and logs of all processes into .cwa/telemetry (JSON lines)')
  .parse();

await localRun({ stay: true, ...command.opts<{ telemetry?: boolean }>() });
