import { ConfigError } from '../../lib/process/config.ts';
import { startManagement } from '../../lib/process/management.ts';
import { runProcess } from '../../lib/process/run.ts';
import { readConfig } from './config.ts';
import { startIdentityProvider } from './identity-provider.ts';

await runProcess('identity-provider', async ({ telemetry, onStop, stopping }) => {
  const config = readConfig(process.env);
  const provider = await startIdentityProvider(config).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code ?? error.name;
    throw new ConfigError([`IDENTITY_PROVIDER_PORT: cannot serve on port ${config.port} (${reason})`]);
  });
  onStop(() => provider.close());
  const management = await startManagement({
    port: config.managementPort,
    setting: 'IDENTITY_PROVIDER_MANAGEMENT_PORT',
    checks: {},
    telemetry,
    stopping,
  });
  onStop(() => management.close());
});
