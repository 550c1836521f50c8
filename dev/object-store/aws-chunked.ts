import { S3Error } from './s3-error.ts';
import { chunkSignature, sameHex, signatureDoesNotMatch, trailerSignature } from './signature.ts';
import type { VerifiedSignature } from './signature.ts';

export interface DecodedBody {
  body: Buffer;
  /** Lower-case names, without the trailer's own signature. */
  trailers: Record<string, string>;
}

/**
 * Decodes `Content-Encoding: aws-chunked`: chunks with or without signatures, trailers with or without.
 * `decodedLength` is what x-amz-decoded-content-length promised.
 */
export function decodeAwsChunked(raw: Buffer, seed: VerifiedSignature, decodedLength: number): DecodedBody {
  const signed = seed.payloadHash.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
  const chunks: Buffer[] = [];
  let previous = seed.signature;
  let at = 0;
  for (;;) {
    const { line, next } = lineAt(raw, at);
    const { size, signature } = chunkHead(line);
    const data = raw.subarray(next, next + size);
    if (data.length < size) throw incompleteBody();
    if (signed) previous = checkedChunk(seed, previous, data, signature);
    at = next + size;
    if (size === 0) break;
    if (raw[at] !== 0x0d || raw[at + 1] !== 0x0a) throw incompleteBody();
    at += 2;
    chunks.push(data);
  }
  const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  if (body.length !== decodedLength) throw incompleteBody();
  return { body, trailers: readTrailers(raw, at, seed, previous) };
}

function chunkHead(line: string): { size: number; signature: string } {
  const parts = /^([0-9a-f]{1,8})(?:;chunk-signature=([0-9a-f]{64}))?$/i.exec(line);
  if (!parts) throw new S3Error(400, 'InvalidChunkSizeError', 'A chunk head of the body is malformed.');
  return { size: Number.parseInt(parts[1] as string, 16), signature: parts[2] ?? '' };
}

function checkedChunk(seed: VerifiedSignature, previous: string, data: Buffer, signature: string): string {
  if (!sameHex(chunkSignature(seed, previous, data), signature)) throw signatureDoesNotMatch();
  return signature;
}

function readTrailers(raw: Buffer, from: number, seed: VerifiedSignature, previous: string): Record<string, string> {
  const trailers: Record<string, string> = {};
  const lines: string[] = [];
  let signature = '';
  for (let at = from; at < raw.length; ) {
    const { line, next } = lineAt(raw, at);
    at = next;
    const colon = line.indexOf(':');
    if (colon < 0) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'x-amz-trailer-signature') signature = value;
    else {
      trailers[name] = value;
      lines.push(`${name}:${value}`);
    }
  }
  const mustBeSigned = seed.payloadHash === 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER';
  if (mustBeSigned && !sameHex(trailerSignature(seed, previous, lines), signature)) throw signatureDoesNotMatch();
  return trailers;
}

function lineAt(raw: Buffer, at: number): { line: string; next: number } {
  const end = raw.indexOf('\n', at);
  if (end < 0) throw incompleteBody();
  return { line: raw.toString('latin1', at, end).trimEnd(), next: end + 1 };
}

function incompleteBody(): S3Error {
  return new S3Error(400, 'IncompleteBody', 'The body does not have the length that its headers promise.');
}
