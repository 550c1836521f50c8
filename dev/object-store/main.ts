import { readConfig } from './config.ts';
import { startObjectStore } from './object-store.ts';

try {
  const store = await startObjectStore(readConfig(process.env));
  print({ event: 'listening', port: store.port, ...(store.damagedFiles > 0 ? { damagedFiles: store.damagedFiles } : {}) });
  const stop = (): void => void store.close();
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  print({ event: 'failed', message: `object store: ${error instanceof Error ? error.message : 'cannot start'}` });
  process.exitCode = 1;
}

function print(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
