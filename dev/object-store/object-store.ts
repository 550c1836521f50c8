import { hash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';

import { systemClock } from '../../lib/time/clock.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { decodeAwsChunked } from './aws-chunked.ts';
import type { DecodedBody } from './aws-chunked.ts';
import { openObjectFolder } from './object-folder.ts';
import type { ObjectFolder } from './object-folder.ts';
import { checkBucketName, perform } from './operations.ts';
import type { Reply } from './operations.ts';
import { S3Error } from './s3-error.ts';
import { verifySignature } from './signature.ts';
import type { SignedRequest, VerifiedSignature } from './signature.ts';
import { xmlError } from './xml.ts';

export interface ObjectStoreOptions {
  /** Data folder, created if absent; one process at a time. */
  dir: string;
  /** 0 takes a free one. */
  port: number;
  /** Default 127.0.0.1. */
  host?: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Created at start if absent. */
  bucket?: string;
  /** PEM; plain HTTP without it. */
  tls?: { key: string; cert: string };
  clock?: Clock;
  /** How far a client's clock may be away, in milliseconds. Default 15 minutes, as in S3. */
  clockToleranceMs?: number;
  /** Largest request body in bytes. Default 256 MiB: bodies are held in memory. */
  maxBodyBytes?: number;
}

export interface ObjectStore {
  port: number;
  damagedFiles: number;
  /** Lets running requests finish for two seconds. */
  close(): Promise<void>;
}

const DEFAULTS = {
  host: '127.0.0.1',
  clock: systemClock,
  clockToleranceMs: 15 * 60_000,
  maxBodyBytes: 256 * 1024 * 1024,
};
type Settings = ObjectStoreOptions & typeof DEFAULTS;

/** A development S3 server: path-style addresses, header signatures, one credential. Not for production. */
export async function startObjectStore(options: ObjectStoreOptions): Promise<ObjectStore> {
  return serveFolder(options, openObjectFolder(options.dir));
}

/** As startObjectStore, over a folder that the caller opened (a test may plant faults in it). */
export async function serveFolder(options: ObjectStoreOptions, folder: ObjectFolder): Promise<ObjectStore> {
  const settings: Settings = { ...DEFAULTS, ...options };
  if (options.bucket !== undefined) {
    checkBucketName(options.bucket);
    folder.createBucket(options.bucket);
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    void serve(settings, folder, request, response);
  };
  const server = settings.tls ? createHttpsServer(settings.tls, listener) : createHttpServer(listener);
  // Longer than any client keeps an idle connection, so that none is closed under a new request.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(settings.port, settings.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    damagedFiles: folder.damagedFiles,
    close: () =>
      new Promise((resolve) => {
        const cut = setTimeout(() => server.closeAllConnections(), 2000);
        server.close(() => {
          clearTimeout(cut);
          resolve();
        });
      }),
  };
}

let requests = 0;

async function serve(
  settings: Settings,
  folder: ObjectFolder,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.sendDate = false; // the Date of the clock that was handed in, not of the machine
  response.setHeader('date', settings.clock.now().toUTCString());
  const requestId = (++requests).toString(16).padStart(16, '0');
  response.setHeader('x-amz-request-id', requestId);
  try {
    await send(request, response, await answer(settings, folder, request));
  } catch (error) {
    if (request.destroyed && !request.complete) return; // the client went away
    if (response.headersSent) response.destroy();
    else await send(request, response, refusal(error, requestId));
  }
}

async function answer(settings: Settings, folder: ObjectFolder, request: IncomingMessage): Promise<Reply> {
  const signed = parseTarget(request);
  const nowMs = settings.clock.nowMs();
  const verified = verifySignature(signed, { ...settings, nowMs }); // before the body is read
  const { body, trailers } = decode(await readBody(request, settings.maxBodyBytes), verified, request);
  const slash = signed.path.indexOf('/', 1);
  const bucket = slash < 0 ? signed.path.slice(1) : signed.path.slice(1, slash);
  const key = slash < 0 ? '' : signed.path.slice(slash + 1);
  const { method, headers } = signed;
  return perform(folder, { method, bucket, key, query: new Map(signed.query), headers, body, trailers, nowMs });
}

function parseTarget({ method = '', url = '/', headers }: IncomingMessage): SignedRequest {
  const mark = url.indexOf('?');
  const path = decodePart(mark < 0 ? url : url.slice(0, mark));
  if (!path.startsWith('/')) throw invalidUri();
  const parts =
    mark < 0
      ? []
      : url
          .slice(mark + 1)
          .split('&')
          .filter((part) => part !== '');
  const query = parts.map((part) => {
    const equals = part.indexOf('=');
    const [name, value] = equals < 0 ? [part, ''] : [part.slice(0, equals), part.slice(equals + 1)];
    return [decodePart(name), decodePart(value)] as const;
  });
  return { method, path, query, headers };
}

/** The body's hash is part of the signature; here the body itself is held against it. */
function decode(raw: Buffer, verified: VerifiedSignature, { headers }: IncomingMessage): DecodedBody {
  const { payloadHash } = verified;
  if (!payloadHash.startsWith('STREAMING-')) {
    if (payloadHash !== 'UNSIGNED-PAYLOAD' && payloadHash !== hash('sha256', raw))
      throw new S3Error(400, 'XAmzContentSHA256Mismatch', 'The x-amz-content-sha256 does not match what was computed.');
    return { body: raw, trailers: {} };
  }
  const length = headers['x-amz-decoded-content-length'];
  if (typeof length !== 'string' || !/^\d{1,12}$/.test(length))
    throw new S3Error(411, 'MissingContentLength', 'You must provide the x-amz-decoded-content-length header.');
  const decoded = decodeAwsChunked(raw, verified, Number(length));
  const promised = String(headers['x-amz-trailer'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean);
  if (promised.some((name) => decoded.trailers[name] === undefined))
    throw new S3Error(400, 'MalformedTrailerError', 'A trailer that x-amz-trailer promised is missing.');
  return decoded;
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (request.complete || (request.headers['content-length'] === undefined && !request.headers['transfer-encoding']))
    return Buffer.alloc(0);
  const chunks: Buffer[] = [];
  let length = 0;
  // Not destroyed when it is too large: the refusal still has to leave on this connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxBytes)
      throw new S3Error(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.');
    chunks.push(chunk);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
}

function refusal(error: unknown, requestId: string): Reply {
  const known =
    error instanceof S3Error ? error : new S3Error(500, 'InternalError', 'We encountered an internal error.');
  const body = xmlError([
    ['Code', known.code],
    ['Message', known.message],
    ['RequestId', requestId],
  ]);
  return { status: known.status, headers: { 'content-type': 'application/xml' }, body };
}

async function send(request: IncomingMessage, response: ServerResponse, reply: Reply): Promise<void> {
  const { status, headers, body } = reply;
  const bodiless = request.method === 'HEAD' || status === 304 || status === 204;
  if (body === undefined || typeof body === 'string' || Buffer.isBuffer(body)) {
    const length = reply.contentLength ?? (body === undefined ? 0 : Buffer.byteLength(body));
    const framed = status === 304 || status === 204 ? headers : { ...headers, 'content-length': String(length) };
    response.writeHead(status, framed);
    response.end(bodiless ? undefined : body);
    return;
  }
  response.writeHead(status, { ...headers, 'content-length': String(reply.contentLength) });
  await pipeline(body, response);
}

function decodePart(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUri();
  }
}

function invalidUri(): S3Error {
  return new S3Error(400, 'InvalidURI', 'Could not parse the specified URI.');
}
