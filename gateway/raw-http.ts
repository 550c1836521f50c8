import type { IncomingMessage, ServerResponse } from 'node:http';
import http2, { type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { Header } from './answer-size.ts';

/** Requests and responses of either HTTP version, as fastify hands them on. */
export type RawRequest = IncomingMessage | Http2ServerRequest;
export type RawResponse = ServerResponse | Http2ServerResponse;

export const isHttp2 = (response: RawResponse): response is Http2ServerResponse => 'stream' in response;

export interface WriteOptions {
  /** Every header as a never-indexed literal, so that the block's size does not depend on earlier answers. */
  readonly neverIndexed?: boolean;
}

/**
 * Writes a whole answer: these headers in this order, nothing of fastify's or Node's beside them (HTTP/1.1 still
 * gets its connection headers). A caller that has gone is no error.
 */
export function writeRaw(
  response: RawResponse,
  status: number,
  headers: readonly Header[],
  body: Buffer,
  options: WriteOptions = {},
): void {
  if (isHttp2(response)) writeHttp2(response, status, headers, body, options);
  else if (!response.destroyed && !response.headersSent) {
    response.sendDate = false;
    response.writeHead(status, headers.flat());
    response.end(body);
  }
}

function writeHttp2(
  response: Http2ServerResponse,
  status: number,
  headers: readonly Header[],
  body: Buffer,
  { neverIndexed = false }: WriteOptions,
): void {
  const { stream } = response;
  if (stream === undefined || stream.destroyed || stream.closed || stream.headersSent) return;
  const block: http2.OutgoingHttpHeaders = { ':status': status };
  for (const [name, value] of headers) block[name] = value;
  if (neverIndexed) block[http2.sensitiveHeaders as unknown as string] = Object.keys(block);
  const endStream = body.length === 0;
  stream.respond(block, { endStream });
  if (!endStream) stream.end(body);
}
