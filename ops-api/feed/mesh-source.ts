import { lookup } from 'node:dns/promises';
import { MetricsServiceService } from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import type { CertificateSource } from '../../lib/rpc/certificates.ts';
import { type Channel, clientOf, openChannel } from '../../lib/rpc/client.ts';
import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { Source } from './poll.ts';

interface MeshSourceOptions {
  readonly process: ProcessName;
  /** `host:port`; each address that the name has is a replica. */
  readonly address: string;
  readonly certificates: CertificateSource;
  readonly clock: Clock;
  readonly metrics: Metrics;
  /** Addresses of a name; default the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

const answerLimitMs = 5_000;

/** A process of the mesh, with a connection to each of its replicas; those of replicas that are gone are closed. */
export function meshSource(options: MeshSourceOptions): Source & { close(): void } {
  const { process, certificates, clock, metrics, resolve = addressesOf } = options;
  const { host, port } = parse(options.address);
  const channels = new Map<string, Channel>();
  const channelTo = (address: string): Channel => {
    const open = channels.get(address);
    if (open) return open;
    const target = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
    const channel = openChannel({ address: target, serverName: process, certificates, clock, metrics });
    channels.set(address, channel);
    return channel;
  };
  return {
    process,
    async replicas() {
      const addresses = await resolve(host);
      for (const [address, channel] of channels) {
        if (addresses.includes(address)) continue;
        channel.close();
        channels.delete(address);
      }
      return addresses.map((address) => {
        const client = clientOf(channelTo(address), 'cwa.metrics.v1.MetricsService', MetricsServiceService, {
          deadlineMs: answerLimitMs,
        });
        return { key: address, ask: () => client.getMetrics({}) };
      });
    },
    close() {
      for (const channel of channels.values()) channel.close();
    },
  };
}

const addressesOf = async (host: string): Promise<readonly string[]> =>
  (await lookup(host, { all: true })).map(({ address }) => address).sort();

function parse(address: string): { host: string; port: string } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: address.slice(at + 1) };
}
