import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type SecurityCollector, startSecurityCollector } from '../security-collector/collector.ts';

/** The collector of a local run, in this process: one more would cost as much memory as a service. */
export async function openSecurityCollector(home: string, opened: AsyncDisposableStack): Promise<SecurityCollector> {
  const pki = (file: string): Buffer => readFileSync(join(home, 'pki', file));
  const collector = await startSecurityCollector({
    tls: { cert: pki('security-collector.crt'), key: pki('security-collector.key'), ca: pki('ca.crt') },
    file: join(home, 'security-events.ndjson'),
  });
  opened.defer(() => collector.pause());
  return collector;
}
