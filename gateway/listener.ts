import type { Http2SecureServer, Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { type FastifyInstance, fastify } from 'fastify';
import { ConfigError } from '../lib/process/config.ts';
import type { Cap } from '../lib/telemetry/cap.ts';
import type { CertificateSource } from '../lib/rpc/certificates.ts';
import { type Answer, notFound } from './answer.ts';
import { isHttp2, type RawRequest, type RawResponse, writeRaw } from './raw-http.ts';
import { publicTls } from './tls-settings.ts';

export interface ListenerOptions {
  /** Empty: every address, IPv6 and IPv4. */
  readonly host: string;
  readonly port: number;
  /** Name of the setting that holds the port. */
  readonly setting: string;
  readonly certificates: CertificateSource;
  readonly tls?: TlsOptions;
  readonly date: () => string;
  readonly maxConnections: number;
  readonly connections: Cap;
  /** Called for each connection that was refused because of `maxConnections`. */
  readonly onRefused: () => void;
  /** Heads and bodies that take longer are cut (decision 16). */
  readonly slowMs: number;
  readonly routes: (app: Routes) => void;
}

type App = FastifyInstance<Http2SecureServer, Http2ServerRequest, Http2ServerResponse>;

type Server = Http2SecureServer & {
  headersTimeout: number;
  requestTimeout: number;
  keepAliveTimeout: number;
  /** How often Node looks for requests that are too slow, in ms; it looks at this when it begins to listen. */
  connectionsCheckingInterval: number;
  maxConnections: number;
};

export type Serve = (request: RawRequest, response: RawResponse) => void;

/** What a port offers; whatever is not named here is 404. */
export interface Routes {
  /** All verbs of one path; the verb is the handler's to judge. `*` at the end takes every longer path. */
  on(path: string, serve: Serve): void;
}

export interface Listener {
  readonly port: number;
  /** Takes no more connections, ends what is idle, and cuts what is left after `graceMs`. */
  close(graceMs?: number): Promise<void>;
}

/** One public port: HTTP/1.1 and HTTP/2 over TLS, certificates exchanged while connections go on. */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const { certificates, date, slowMs } = options;
  const app: App = fastify({
    http2: true,
    https: {
      allowHTTP1: true,
      ...publicTls(certificates.current()),
      ...options.tls,
      handshakeTimeout: 10_000,
      settings: { maxConcurrentStreams: 128, maxHeaderListSize: 16_384 },
      unknownProtocolTimeout: 1_000,
    },
    http2SessionTimeout: 75_000,
    logger: false,
    forceCloseConnections: false,
    frameworkErrors: (_error, _request, reply) => refuse(reply.raw, date, notFound),
    clientErrorHandler: (error, socket) => hangUp(error, socket, date),
  });
  const server = app.server as unknown as Server;
  server.headersTimeout = slowMs;
  server.requestTimeout = slowMs;
  server.connectionsCheckingInterval = Math.min(5_000, slowMs);
  server.keepAliveTimeout = 75_000;
  server.maxConnections = options.maxConnections;
  watchConnections(app.server, options);
  const sockets = new Set<Socket>();
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  endSilentSessions(app.server, slowMs);
  const served = new Map<string, Serve>();
  // Answers come before fastify would look at a body: nothing of a request is parsed, logged or echoed by it.
  app.addHook('onRequest', (request, reply, done) => {
    if (!request.is404) return done();
    // Verbs that fastify does not know are for the path's own handler to refuse.
    const serve = served.get(request.raw.url?.split('?', 1)[0] ?? '');
    if (serve === undefined) refuse(hijacked(reply), date, notFound);
    else serve(request.raw, hijacked(reply));
  });
  options.routes({
    on: (path, serve) => {
      served.set(path, serve);
      app.all(path, { onRequest: (request, reply) => serve(request.raw, hijacked(reply)) }, unreached);
    },
  });

  await listen(app, server, options);
  const stopFollowing = certificates.onChange((next) => server.setSecureContext(publicTls(next)));
  return {
    port: (server.address() as AddressInfo).port,
    async close(graceMs = 5_000) {
      stopFollowing();
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      await app.close();
      clearTimeout(cut);
    },
  };
}

/** Connections count from their first octet on: whoever never ends the handshake uses the limit up too. */
function watchConnections(server: Http2SecureServer, { connections, onRefused }: ListenerOptions): void {
  let open = 0;
  server.on('connection', (socket: Socket) => {
    connections.saw(++open);
    socket.once('close', () => open--);
  });
  server.on('drop', onRefused);
}

/**
 * Ends an HTTP/2 connection on which no request has been open for `slowMs`. Node does not tell of a head that never
 * ends, and pings keep its own session timeout away; such a connection looks like one without a request.
 */
function endSilentSessions(server: Http2SecureServer, slowMs: number): void {
  server.on('session', (session) => {
    let open = 0;
    const arm = () => setTimeout(() => session.destroy(), slowMs).unref();
    let timer = arm();
    session.on('stream', (stream) => {
      open++;
      clearTimeout(timer);
      stream.once('close', () => {
        if (--open === 0) timer = arm();
      });
    });
    session.once('close', () => clearTimeout(timer));
  });
}

/** The reply is ours from here on. The hook that calls this never says `done`. */
function hijacked(reply: { hijack(): unknown; raw: RawResponse }): RawResponse {
  reply.hijack();
  return reply.raw;
}

function unreached(): void {}

function refuse(response: RawResponse, date: () => string, answer: Answer): void {
  // A body that nobody reads would keep an HTTP/2 stream open after its answer.
  if (isHttp2(response)) response.stream?.resume();
  writeRaw(
    response,
    answer.status,
    [
      ['date', date()],
      ['content-length', '0'],
    ],
    answer.body,
  );
}

async function listen(app: App, server: Server, options: ListenerOptions): Promise<void> {
  await app.ready();
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void =>
      reject(new ConfigError([`${options.setting}: port ${options.port} ${faultOf(error.code)}`]));
    server.once('error', failed);
    server.listen(
      { port: options.port, ...(options.host === '' ? {} : { host: options.host }), backlog: 1_024 },
      () => {
        server.off('error', failed);
        resolve();
      },
    );
  });
}

function faultOf(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'is taken by another program';
  if (code === 'EACCES') return 'may not be opened by this user';
  return `cannot be opened (${code ?? 'error'})`;
}

/** A request that is no HTTP, too long in its head, or too slow: a status where there is still someone to read it. */
function hangUp(error: { code?: string }, socket: Socket, date: () => string): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = {
    HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
    ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
  };
  const line = status[error.code as keyof typeof status] ?? '400 Bad Request';
  socket.end(`HTTP/1.1 ${line}\r\ndate: ${date()}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
  setTimeout(() => socket.destroy(), 1_000).unref();
}
