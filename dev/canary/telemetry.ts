import { join } from 'node:path';
import { MetricsServiceService } from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import { systemClock } from '../../lib/time/clock.ts';
import type { OtlpReceiver } from '../observability/otlp-receiver.ts';
import { filesUnder, type Holding } from './search.ts';

/** What every process tells the ops API over the mesh, a place each. `addresses`: mesh address of each process. */
export async function meshAnswers(home: string, addresses: ReadonlyMap<string, string>): Promise<Holding[]> {
  const pki = (name: string): string => join(home, 'pki', name);
  const certificates = watchCertificates({
    certFile: pki('ops-api.crt'),
    keyFile: pki('ops-api.key'),
    caFile: pki('ca.crt'),
  });
  const service = 'cwa.metrics.v1.MetricsService';
  try {
    return await Promise.all(
      [...addresses].map(async ([name, address]) => {
        const serverName = name as ProcessName;
        const channel = openChannel({ address, serverName, certificates, clock: systemClock });
        const answer = await clientOf(channel, service, MetricsServiceService).getMetrics({});
        channel.close();
        return { place: `mesh ${name} ${service}`, octets: Buffer.from(JSON.stringify(answer)) };
      }),
    );
  } finally {
    certificates.close();
  }
}

/** A call that the communication matrix does not allow, with a canary in its message: refused, and told to the feed. */
export async function askWithoutRight(home: string, address: string, canary: string): Promise<void> {
  const pki = (name: string): string => join(home, 'pki', name);
  const certificates = watchCertificates({
    certFile: pki('scheduler.crt'),
    keyFile: pki('scheduler.key'),
    caFile: pki('ca.crt'),
  });
  const channel = openChannel({ address, serverName: 'verification', certificates, clock: systemClock });
  const tans = clientOf(channel, 'cwa.verification.v1.TanService', TanServiceService);
  await tans.confirmTans({ reservationIds: [canary] }).then(
    () => Promise.reject(new Error('an undeclared call was answered')),
    () => {},
  );
  channel.close();
  certificates.close();
}

/** All that was exported, decoded by signal and as it came. */
export function exported({ bodies }: OtlpReceiver, folder: string): Holding[] {
  const signals = [...filesUnder(folder, 'otlp')].map(({ place, octets }) => ({
    place: place.replace('.ndjson', ''),
    octets,
  }));
  return [...signals, { place: 'otlp bodies', octets: Buffer.concat(bodies) }];
}
