import { type BoundService, type RpcServer, type RpcServerOptions, startRpcServer } from '../rpc/server.ts';
import { type Channel, openChannel } from '../rpc/client.ts';
import type { Handlers } from '../rpc/api.ts';
import type { ProcessName } from '../rpc/communication-matrix.ts';
import type { Log, LogFields } from '../telemetry/log.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { type TestPki, testPki } from './pki.ts';

export interface LogLine extends LogFields {
  readonly level: string;
  readonly event: string;
}

/** Keeps what was logged. */
export function recordingLog(): Log & { readonly lines: LogLine[] } {
  const lines: LogLine[] = [];
  const at = (level: string) => (event: string, fields?: LogFields) => void lines.push({ level, event, ...fields });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

export interface TestServer extends RpcServer {
  readonly log: ReturnType<typeof recordingLog>;
  readonly pki: TestPki;
  readonly address: string;
  /** A channel with the caller's certificate. */
  channel(caller: ProcessName, options?: { readonly clock?: Clock; readonly address?: string }): Promise<Channel>;
  /** Closes the channels, the server and the PKI. */
  stop(): Promise<void>;
}

/** One process that serves over real TLS with throwaway certificates. */
export async function serve(
  process: ProcessName,
  services: readonly BoundService[],
  options: Partial<RpcServerOptions> & { readonly pki?: TestPki } = {},
): Promise<TestServer> {
  const pki = options.pki ?? (await testPki());
  const log = recordingLog();
  const server = await startRpcServer({
    process,
    host: '127.0.0.1',
    port: 0,
    certificates: await pki.certificates(process, undefined, { pollMs: 50, log }),
    services,
    clock: systemClock,
    log,
    graceMs: 2_000,
    failuresEveryMs: 0,
    ...options,
  });
  const channels: Channel[] = [];
  const address = `127.0.0.1:${server.port}`;
  return {
    ...server,
    log,
    pki,
    address,
    channel: async (caller, settings = {}) => {
      const certificates = await pki.certificates(caller);
      const channel = openChannel({ address, serverName: process, certificates, clock: systemClock, ...settings });
      channels.push(channel);
      return channel;
    },
    stop: async () => {
      for (const channel of channels) channel.close();
      await server.close();
      if (options.pki === undefined) pki.remove();
    },
  };
}

/** Handlers where those not given answer with an error that the test would see. */
export function someHandlers<S>(given: Partial<Handlers<S>>): Handlers<S> {
  return new Proxy(given as object, {
    get: (handlers, name) =>
      Reflect.get(handlers, name) ?? (() => Promise.reject(new Error(`no handler for ${String(name)} in this test`))),
  }) as Handlers<S>;
}
