import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { processOf } from '../../lib/rpc/identity.ts';
import type { SecurityRecord } from '../../lib/telemetry/security-feed/record.ts';

/** Stands in for the collector (SIEM) of a local run. */
export interface SecurityCollector {
  /** For `SECURITY_FEED_URL`. */
  readonly url: string;
  /** What came, each event once, in order. */
  readonly file: string;
  /** Goes away, as in an outage; `resume` comes back under the same address. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

export interface CollectorOptions {
  /** PEM texts; whoever calls needs a certificate of this CA. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer; readonly ca: Buffer };
  /** Events are appended to it as JSON lines; what it holds already is not taken again. */
  readonly file: string;
}

const maxBodyBytes = 1_048_576;

/**
 * Takes events as a SIEM would: HTTPS POST of JSON lines, from processes that prove by their certificate who they are and
 * speak for themselves alone. An event that came before, by its id, is thanked for and forgotten.
 */
export async function startSecurityCollector({ tls, file }: CollectorOptions): Promise<SecurityCollector> {
  const known = new Set(readSecurityEvents(file).map(({ id }) => id));
  const options: ServerOptions = { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' };
  const server = createServer(options, async (request, response) => {
    const status = await take(request).catch(() => 400);
    response.writeHead(status).end();
  });

  async function take(request: IncomingMessage): Promise<number> {
    if (request.method !== 'POST') return 405;
    if (request.headers['content-type'] !== 'application/x-ndjson') return 415;
    const caller = processOf((request.socket as TLSSocket).getPeerCertificate().subjectaltname);
    const body = await bodyOf(request);
    if (body === undefined) return 413;
    const events = body.split('\n').filter(Boolean).map(parseEvent);
    if (caller === undefined || events.some(({ process }) => process !== caller)) return 403;
    const fresh = events.filter(({ id }) => !known.has(id) && known.add(id));
    if (fresh.length > 0)
      appendFileSync(file, fresh.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 });
    return 204;
  }

  let port = 0;
  const resume = async (): Promise<void> => {
    await new Promise<void>((done, failed) => server.once('error', failed).listen(port, '127.0.0.1', done));
    port = (server.address() as AddressInfo).port;
  };
  await resume();
  return {
    url: `https://localhost:${port}/events`,
    file,
    resume,
    async pause() {
      server.closeAllConnections();
      if (server.listening) await new Promise((done) => server.close(done));
    },
  };
}

/** The events of a file, in the order in which they came; none where there is no file. */
export function readSecurityEvents(file: string): SecurityRecord[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => JSON.parse(line) as SecurityRecord);
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function parseEvent(line: string): SecurityRecord {
  const event = JSON.parse(line) as SecurityRecord;
  if (![event.id, event.time, event.process, event.type].every((value) => typeof value === 'string')) {
    throw new TypeError('no event');
  }
  return event;
}
