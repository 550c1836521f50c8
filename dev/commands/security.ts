import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Command } from 'commander';
import type { SecurityRecord } from '../../lib/telemetry/security-feed/record.ts';
import { homeOf } from '../home.ts';
import { readSecurityEvents } from '../security-collector/collector.ts';
import { parseCount } from './duration.ts';

interface TailOptions {
  readonly lines: number;
  readonly follow?: boolean;
  readonly json?: boolean;
}

/** `cwa security tail`: what the collector of a local run was told. */
export function addSecurityCommands(program: Command): void {
  program
    .command('security')
    .description('security events of the local run')
    .command('tail')
    .description('print the newest events, oldest first')
    .option('-n, --lines <number>', 'how many', parseCount, 50)
    .option('-f, --follow', 'go on with what comes, until interrupted')
    .option('--json', 'print one JSON object a line')
    .action(tail);
}

async function tail({ lines, follow, json }: TailOptions): Promise<void> {
  const file = join(homeOf(process.env), 'security-events.ndjson');
  const print = (events: readonly SecurityRecord[]): void => {
    for (const event of events) process.stdout.write(`${json ? JSON.stringify(event) : readable(event)}\n`);
  };
  let events = readSecurityEvents(file);
  if (events.length === 0 && !follow) {
    throw new Error(`no security events in ${file}: start the system with npm start`);
  }
  print(events.slice(-lines));
  while (follow) {
    await delay(500);
    const printed = events.length;
    events = readSecurityEvents(file);
    print(events.slice(printed));
  }
}

function readable({ id: _id, time, process: from, type, count, ...fields }: SecurityRecord): string {
  const details = Object.entries(fields).map(([name, value]) => `${name}=${value}`);
  return [time, from.padEnd(12), type, ...details, ...(count > 1 ? [`× ${count}`] : [])].join('  ');
}
