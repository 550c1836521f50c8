import { join } from 'node:path';
import { DistributionServiceService } from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import type { Client } from '../../lib/rpc/api.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import { systemClock } from '../../lib/time/clock.ts';

export interface Scheduler {
  readonly client: Client<typeof DistributionServiceService>;
  close(): void;
}

/** Asks distribution for its runs, as the cron job of a cluster does. */
export function openScheduler(home: string, port: number): Scheduler {
  const file = (name: string) => join(home, 'pki', name);
  const certificates = watchCertificates({
    certFile: file('scheduler.crt'),
    keyFile: file('scheduler.key'),
    caFile: file('ca.crt'),
  });
  const address = `127.0.0.1:${port}`;
  const channel = openChannel({ address, serverName: 'distribution', certificates, clock: systemClock });
  const service = 'cwa.distribution.v1.DistributionService';
  return {
    client: clientOf(channel, service, DistributionServiceService, { deadlineMs: 300_000 }),
    close() {
      channel.close();
      certificates.close();
    },
  };
}
