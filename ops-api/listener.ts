import { createServer, type Server } from 'node:https';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ConfigError } from '../lib/process/config.ts';
import type { CertificateSource, Certificates } from '../lib/rpc/certificates.ts';

export interface ListenerOptions {
  /** Empty: every address, IPv6 and IPv4. */
  readonly host: string;
  readonly port: number;
  /** Server's certificate; its CA signs operators' certificates. */
  readonly certificates: CertificateSource;
  readonly maxConnections: number;
  readonly timeoutMs: number;
  readonly serve: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  /** Something failed that nobody expected; the answer says 500 and nothing else. */
  readonly onFailure: (error: unknown) => void;
}

export interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * HTTPS with TLS 1.3. A client certificate is asked for, not demanded: whoever has a token needs none. Requests whose
 * head, body or answer take longer than `timeoutMs` are cut.
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { certificates, timeoutMs } = options;
  const context = ({ cert, key, ca }: Certificates) => ({ cert, key, ca, minVersion: 'TLSv1.3' }) as const;
  const server = createServer(
    {
      ...context(certificates.current()),
      requestCert: true,
      rejectUnauthorized: false,
      handshakeTimeout: timeoutMs,
      headersTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      keepAliveTimeout: 60_000,
      connectionsCheckingInterval: Math.min(5_000, timeoutMs),
      maxHeaderSize: 16_384,
    },
    (request, response) => {
      const cut = setTimeout(() => giveUp(response), timeoutMs);
      response.once('close', () => clearTimeout(cut));
      options.serve(request, response).catch((error: unknown) => {
        options.onFailure(error);
        if (!response.headersSent) response.writeHead(500);
        response.end();
      });
    },
  );
  server.maxConnections = options.maxConnections;
  await listen(server, options);
  const stopFollowing = certificates.onChange((next) => server.setSecureContext(context(next)));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopFollowing();
      const closed = new Promise((done) => server.close(done));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), 2_000);
      await closed;
      clearTimeout(cut);
    },
  };
}

function giveUp(response: ServerResponse): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(504, { connection: 'close' }).end();
}

function listen(server: Server, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', ({ code = 'error' }: NodeJS.ErrnoException) => {
      reject(new ConfigError([`OPS_API_OPERATOR_PORT: port ${port} cannot be opened (${code})`]));
    });
    server.listen({ port, ...(host === '' ? {} : { host }) }, resolve);
  });
}
