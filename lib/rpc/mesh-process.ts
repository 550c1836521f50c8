import { type ReadinessCheck, startManagement } from '../process/management.ts';
import { repeat } from '../process/repeat.ts';
import type { ProcessContext } from '../process/run.ts';
import { watchTerm } from './certificate-term.ts';
import { type CertificateSource, type TlsFiles, watchCertificates } from './certificates.ts';
import { type Channel, openChannel } from './client.ts';
import type { ProcessName } from './communication-matrix.ts';
import type { MetricsDetails } from './metrics-service.ts';
import { isServing } from './serving.ts';
import { type BoundService, type RpcServer, startRpcServer } from './server.ts';

/** The values of a process's settings by name. */
type Settings = Readonly<Record<string, unknown>>;
type FileSettings = Readonly<Record<keyof TlsFiles, string>>;

/**
 * What every process of the mesh opens in the same way: each part follows the settings that carry the process's name
 * (`SUBMISSION_PORT`), counts what it does, and ends with the process.
 */
export function meshProcess(name: ProcessName, settings: Settings, context: ProcessContext) {
  const { clock, log, telemetry, security, onStop, stopping } = context;
  const { metrics } = telemetry;
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const certificates = followCertificates('mesh', tlsSettings(prefix), settings, context);

  /** Something that the process needs and yet is ready without; `isUp` is asked once a minute. */
  const dependsOn = (dependency: string, isUp: () => Promise<boolean>): void =>
    metrics.observe('cwa.dependency.up', async () => [
      { attributes: { 'cwa.dependency': dependency }, value: (await isUp().catch(() => false)) ? 1 : 0 },
    ]);

  return {
    certificates,
    dependsOn,

    /** A connection to another process, at `host:port`. Operators are told whether it can be used. */
    channel(serverName: ProcessName, address: string): Channel {
      const channel = openChannel({ address, serverName, certificates, clock, metrics });
      dependsOn(serverName, () => isServing(channel));
      onStop(() => channel.close());
      return channel;
    },

    async management(checks: Readonly<Record<string, ReadinessCheck>>): Promise<void> {
      const management = await startManagement({
        host: String(settings[`${prefix}_MANAGEMENT_HOST`]),
        port: Number(settings[`${prefix}_MANAGEMENT_PORT`]),
        setting: `${prefix}_MANAGEMENT_PORT`,
        checks,
        telemetry,
        stopping,
      });
      onStop(() => management.close());
    },

    /** Runs `work` now and again; a run that has begun is waited for at the end. */
    repeat(job: string, everySeconds: number, work: () => Promise<void>, how: { discreet?: boolean } = {}): void {
      const jobs = repeat({ job, everyMs: everySeconds * 1_000, clock, log, metrics, signal: stopping, ...how }, work);
      onStop(() => jobs);
    },

    /** `at`: what the settings of host and port begin with, where it is not the process's name. */
    async serve(services: readonly BoundService[], at = prefix, published?: MetricsDetails): Promise<RpcServer> {
      const server = await startRpcServer({
        process: name,
        host: String(settings[`${at}_HOST`]),
        port: Number(settings[`${at}_PORT`]),
        portSetting: `${at}_PORT`,
        certificates,
        services,
        clock,
        log,
        telemetry,
        security,
        ...(published ? { published } : {}),
      });
      onStop(() => server.close());
      return server;
    },
  };
}

/** Names of the settings that hold a process's certificate inside the mesh. */
export const tlsSettings = (prefix: string): FileSettings => ({
  certFile: `${prefix}_TLS_CERT_FILE`,
  keyFile: `${prefix}_TLS_KEY_FILE`,
  caFile: `${prefix}_TLS_CA_FILE`,
});

/** The certificate that the named settings point to, watched and told of under the name `certificate`. */
export function followCertificates(
  certificate: string,
  names: FileSettings,
  settings: Settings,
  { clock, log, telemetry, security, onStop }: ProcessContext,
): CertificateSource {
  const file = (which: keyof TlsFiles): string => {
    const path = settings[names[which]];
    return typeof path === 'string' ? path : '';
  };
  const files = { certFile: file('certFile'), keyFile: file('keyFile'), caFile: file('caFile') };
  const source = watchCertificates(files, { settings: names, log, security, name: certificate });
  onStop(() => source.close());
  onStop(watchTerm(source, certificate, { clock, metrics: telemetry.metrics, security }));
  return source;
}
