import { ConfigError } from '../../lib/process/config.ts';
import { runProcess } from '../../lib/process/run.ts';
import { readConfig } from './config.ts';
import { startObjectStore } from './object-store.ts';

await runProcess('object-store', async ({ log, onStop }) => {
  const config = readConfig(process.env);
  const store = await startObjectStore(config).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code ?? error.name;
    if (error.syscall !== 'listen') throw new ConfigError([`OBJECT_STORE_DIR: cannot be opened (${reason})`]);
    throw new ConfigError([`OBJECT_STORE_PORT: cannot serve on port ${config.port} (${reason})`]);
  });
  onStop(() => store.close());
  log.info('listening', { port: store.port, count: store.damagedFiles });
});
