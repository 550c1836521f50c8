import type { Answer } from './answer.ts';
import { http1Cost, http2Cost, statusLineCost } from './header-cost.ts';

/**
 * Sizes that every phone answer has, whatever it says (decision 14). They count what the gateway decides: with
 * HTTP/1.1 Node adds the same connection headers to every answer.
 */
export const headerBlockSize = { http1: 500, http2: 318 } as const;

/** Octets of a body, by its form; the JSON of REST and of Connect are one form. */
export const bodySize = { json: 250, protobuf: 250, 'grpc-web': 340 } as const;

export type BodyForm = keyof typeof bodySize;

const paddingName = 'cwa-header-padding';
// Five and six bits in HTTP/2's Huffman code: with the mix of both the padding also sets the size there.
const short = 'a'.repeat(headerBlockSize.http1);
const long = 'b'.repeat(headerBlockSize.http1);

export type Header = readonly [name: string, value: string];

/** All headers of a phone answer, in order; the last is the padding that brings both blocks to their size. */
export function sizedHeaders(answer: Answer, date: string): Header[] {
  const headers: Header[] = [
    ['date', date],
    ['cache-control', 'no-store'],
    ['content-security-policy', "default-src 'self'"],
    ...answer.headers,
    ['content-length', String(answer.body.length)],
  ];
  headers.push([paddingName, headerPadding(answer.status, headers)]);
  return headers;
}

function headerPadding(status: number, headers: readonly Header[]): string {
  let http1 = statusLineCost(status) + http1Cost(paddingName, '');
  // The padding takes 127 to 254 octets there, so its length takes two.
  let http2 = http2Cost(':status', String(status)) + http2Cost(paddingName, '') + 1;
  for (const [name, value] of headers) {
    http1 += http1Cost(name, value);
    http2 += http2Cost(name, value);
  }
  const length = Math.max(0, headerBlockSize.http1 - http1);
  const bits = 8 * (headerBlockSize.http2 - http2);
  // A set of headers that does not fit is seen by a test; on the wire it must do no harm.
  const longs = Math.min(length, Math.max(0, bits - 5 * length));
  return short.slice(longs, length) + long.slice(0, longs);
}

/**
 * The body at its form's size. JSON gets one more member, protobuf the field `response_padding` (its number is given),
 * gRPC-web a trailer beside the status. Apps ignore all of them (S 2.11 [D]).
 */
export function sizedBody(form: BodyForm, body: Buffer, paddingField: number): Buffer {
  switch (form) {
    case 'json':
      return sizedJson(body);
    case 'protobuf':
      return sizedProtobuf(body, paddingField);
    case 'grpc-web':
      return sizedGrpcWeb(body);
  }
}

const jsonMember = Buffer.from('"responsePadding":""}');

function sizedJson(body: Buffer): Buffer {
  const comma = body.length > 2 ? 1 : 0; // `{}` has no member yet
  const padding = Math.max(0, bodySize.json - (body.length - 1) - comma - jsonMember.length);
  const start = body.subarray(0, -1).toString();
  return Buffer.from(`${start}${comma ? ',' : ''}"responsePadding":"${'0'.repeat(padding)}"}`);
}

function sizedProtobuf(body: Buffer, field: number): Buffer {
  const padding = Math.max(0, bodySize.protobuf - body.length - 3);
  // The length takes two octets even where one would do, so that every length can be reached.
  const head = Buffer.from([(field << 3) | 2, (padding & 0x7f) | 0x80, padding >> 7]);
  return Buffer.concat([body, head, Buffer.alloc(padding, '0')]);
}

const grpcTrailer = 'cwa-padding: \r\n';

function sizedGrpcWeb(body: Buffer): Buffer {
  const trailers = trailerFrame(body);
  if (trailers === undefined) return body;
  const padding = '0'.repeat(Math.max(0, bodySize['grpc-web'] - body.length - grpcTrailer.length));
  const data = Buffer.from(`${body.subarray(trailers + 5).toString()}cwa-padding: ${padding}\r\n`);
  const head = Buffer.from([0x80, 0, 0, data.length >> 8, data.length & 0xff]);
  return Buffer.concat([body.subarray(0, trailers), head, data]);
}

/** Where the frame with the trailers begins (flag 0x80). */
export function trailerFrame(body: Buffer): number | undefined {
  let at = 0;
  while (at + 5 <= body.length) {
    if (((body[at] ?? 0) & 0x80) !== 0) return at;
    at += 5 + body.readUInt32BE(at + 1);
  }
  return undefined;
}
