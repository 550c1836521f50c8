import { Server, type ServerCredentials, experimental } from '@grpc/grpc-js';
import { ConfigError } from '../process/config.ts';
import { gatheredLog } from '../telemetry/gathered-log.ts';
import type { Log } from '../telemetry/log.ts';
import { silentMetrics } from '../telemetry/metrics.ts';
import { type SecurityFeed, silentSecurityFeed } from '../telemetry/security.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import type { Clock } from '../time/clock.ts';
import { authorization } from './authorization.ts';
import type { CertificateSource } from './certificates.ts';
import type { ProcessName } from './communication-matrix.ts';
import { providerOf } from './grpc-certificates.ts';
import { type BoundService, implementationOf } from './handlers.ts';
import { healthService } from './health.ts';
import { type MetricsDetails, metricsService } from './metrics-service.ts';
import { defaultMaxMessageBytes, flowControlWindow } from './limits.ts';

export { bind, type BoundService } from './handlers.ts';

export interface RpcServer {
  readonly port: number;
  /** Health turns NOT_SERVING, calls in flight end, and what is left after `graceMs` is cut. */
  close(): Promise<void>;
}

export interface RpcServerOptions {
  readonly process: ProcessName;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly certificates: CertificateSource;
  readonly services: readonly BoundService[];
  readonly clock: Clock;
  readonly log: Log;
  readonly security?: SecurityFeed;
  /** With it the process also offers `cwa.metrics.v1.MetricsService`. */
  readonly telemetry?: Telemetry;
  /** Of distribution: what it tells beside metrics. */
  readonly published?: MetricsDetails;
  /** A connection keeps the certificates it began with, so it may not live for ever. Default 10 min. */
  readonly maxConnectionAgeMs?: number;
  /** How often failed and refused calls are told of, each kind in one line; 0: at once. Default a minute. */
  readonly failuresEveryMs?: number;
  /** Default 10 s. */
  readonly graceMs?: number;
  /** Default 16 MiB. */
  readonly maxReceiveBytes?: number;
  /** Name of the setting behind `port`, for the message when the port is taken. */
  readonly portSetting?: string;
}

/** Serves the bound services over TLS 1.3 to callers with a client certificate that the communication matrix names. */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { certificates, clock, log } = options;
  const failures = gatheredLog(log, options.failuresEveryMs);
  const server = new Server({
    interceptors: [authorization(options.process, failures, options.security ?? silentSecurityFeed)],
    'grpc.max_receive_message_length': options.maxReceiveBytes ?? defaultMaxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc.max_connection_age_ms': options.maxConnectionAgeMs ?? 600_000,
    'grpc.max_connection_age_grace_ms': 300_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc-node.flow_control_window': flowControlWindow,
    'grpc.enable_channelz': 0,
  });
  const services = [
    ...options.services,
    ...(options.telemetry ? [metricsService(options.telemetry, options.published)] : []),
  ];
  for (const service of services) {
    server.addService(...implementationOf(service, clock, failures, options.telemetry?.metrics ?? silentMetrics));
  }
  const health = healthService(services.map((service) => service.name));
  server.addService(health.definition, health.implementation);

  const provider = providerOf(certificates);
  const credentials = experimental.createCertificateProviderServerCredentials(provider, provider, true);
  const port = await listen(server, options, credentials);
  const close = async (): Promise<void> => {
    health.stop();
    await stop(server, `${urlHost(options.host)}:${port}`, options.graceMs ?? 10_000, log);
    failures.close();
  };
  let closing: Promise<void> | undefined;
  return { port, close: () => (closing ??= close()) };
}

const urlHost = (host: string): string => (host.includes(':') ? `[${host}]` : host);

async function listen(server: Server, options: RpcServerOptions, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`${urlHost(options.host)}:${options.port}`, credentials, (error, port) => {
      if (error === null) return resolve(port);
      // The only address of the process, so its fault is that of the setting.
      reject(new ConfigError([`${options.portSetting ?? 'RPC_PORT'}: port ${options.port} cannot be opened`]));
    });
  });
}

async function stop(server: Server, address: string, graceMs: number, log: Log): Promise<void> {
  // Ends the connections as their calls end, cuts them after the grace time. `forceShutdown` would not: without
  // channelz, grpc-js does not know its connections there.
  server.drain(address, graceMs);
  const cut = setTimeout(() => log.warn('rpc-calls-cut', { durationMs: graceMs }), graceMs);
  await new Promise<void>((resolve) => {
    // A connection that never got past its handshake is not drained; it must not hold up the stop.
    const giveUp = setTimeout(resolve, graceMs + 500);
    server.tryShutdown(() => {
      clearTimeout(giveUp);
      resolve();
    });
  });
  clearTimeout(cut);
}
