import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

import { S3Error } from './s3-error.ts';

/** What the signature covers: the path and the query decoded, headers as node gives them. */
export interface SignedRequest {
  method: string;
  path: string;
  query: readonly (readonly [string, string])[];
  headers: IncomingHttpHeaders;
}

export interface SigningRules {
  accessKeyId: string;
  secretAccessKey: string;
  nowMs: number;
  /** How far the client's clock may be away, in milliseconds; S3 allows 15 minutes. */
  clockToleranceMs: number;
}

/** A verified request; signed chunks go on from it. */
export interface VerifiedSignature {
  signature: string;
  timestamp: string;
  scope: string;
  signingKey: Buffer;
  payloadHash: string;
}

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/(\d{8})\/([^/,]+)\/s3\/aws4_request,\s*SignedHeaders=([a-z0-9;\-_.]+),\s*Signature=([0-9a-f]{64})$/;

const signingKeys = new Map<string, Buffer>();

/** AWS Signature Version 4 in the Authorization header. Throws the S3Error that S3 itself would send. */
export function verifySignature(request: SignedRequest, rules: SigningRules): VerifiedSignature {
  const { headers } = request;
  if (!headers.authorization) throw accessDenied('Requests must be signed in the Authorization header.');
  const parts = AUTHORIZATION.exec(headers.authorization);
  if (!parts) throw new S3Error(400, 'AuthorizationHeaderMalformed', 'The authorization header is malformed.');
  const [, accessKeyId, day, region, signedHeaders, signature] = parts as unknown as string[] as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  if (accessKeyId !== rules.accessKeyId)
    throw new S3Error(403, 'InvalidAccessKeyId', 'The access key id you provided does not exist in our records.');

  const timestamp = one(headers['x-amz-date']);
  checkClock(timestamp, day, rules);
  const names = signedHeaders.split(';');
  checkSignedHeaders(headers, names);
  const payloadHash = one(headers['x-amz-content-sha256']);
  if (!payloadHash) throw new S3Error(400, 'InvalidRequest', 'Missing required header x-amz-content-sha256.');

  const scope = `${day}/${region}/s3/aws4_request`;
  const signingKey = signingKeyOf(rules.secretAccessKey, day, region);
  const canonical = canonicalRequest(request, names, signedHeaders, payloadHash);
  const expected = hmacHex(signingKey, `AWS4-HMAC-SHA256\n${timestamp}\n${scope}\n${hash('sha256', canonical)}`);
  if (!sameHex(expected, signature)) throw signatureDoesNotMatch();
  return { signature, timestamp, scope, signingKey, payloadHash };
}

/** Signature of one chunk of a signed aws-chunked body; `previous` is the seed or the chunk before. */
export function chunkSignature(seed: VerifiedSignature, previous: string, data: Uint8Array): string {
  return chained(seed, 'AWS4-HMAC-SHA256-PAYLOAD', previous, `${hash('sha256', '')}\n${hash('sha256', data)}`);
}

/** Signature of the trailers of a signed aws-chunked body; each line is `name:value` without line end. */
export function trailerSignature(seed: VerifiedSignature, previous: string, lines: readonly string[]): string {
  const canonical = lines.map((line) => `${line}\n`).join('');
  return chained(seed, 'AWS4-HMAC-SHA256-TRAILER', previous, hash('sha256', canonical));
}

export function sameHex(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

export function signatureDoesNotMatch(): S3Error {
  return new S3Error(
    403,
    'SignatureDoesNotMatch',
    'The request signature we calculated does not match the one you provided.',
  );
}

function chained(seed: VerifiedSignature, kind: string, previous: string, rest: string): string {
  return hmacHex(seed.signingKey, `${kind}\n${seed.timestamp}\n${seed.scope}\n${previous}\n${rest}`);
}

function checkClock(timestamp: string, day: string, rules: SigningRules): void {
  const t = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(timestamp);
  if (!t) throw accessDenied('A signed request needs a valid x-amz-date header.');
  if (!timestamp.startsWith(day)) throw signatureDoesNotMatch();
  const sentMs = Date.parse(`${t[1]}-${t[2]}-${t[3]}T${t[4]}:${t[5]}:${t[6]}Z`);
  if (!(Math.abs(sentMs - rules.nowMs) <= rules.clockToleranceMs))
    throw new S3Error(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and the server time is too large.',
    );
}

function checkSignedHeaders(headers: IncomingHttpHeaders, names: readonly string[]): void {
  const unsigned = Object.keys(headers).some((name) => name.startsWith('x-amz-') && !names.includes(name));
  if (unsigned || !names.includes('host'))
    throw accessDenied('There were headers present in the request which were not signed.');
}

function canonicalRequest(
  request: SignedRequest,
  names: readonly string[],
  signedHeaders: string,
  payloadHash: string,
): string {
  const query = request.query
    .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
    .sort()
    .join('&');
  const headers = names.map((name) => `${name}:${one(request.headers[name]).trim().replace(/ +/g, ' ')}\n`).join('');
  const path = request.path.split('/').map(encodeRfc3986).join('/');
  return `${request.method}\n${path}\n${query}\n${headers}\n${signedHeaders}\n${payloadHash}`;
}

/** Derived once a day and region; four HMACs would double the cost of a small request. */
function signingKeyOf(secret: string, day: string, region: string): Buffer {
  const name = `${day}/${region}/${secret}`;
  const known = signingKeys.get(name);
  if (known) return known;
  const key = [region, 's3', 'aws4_request'].reduce(
    (k, part) => hmac(k, part),
    hmac(Buffer.from(`AWS4${secret}`), day),
  );
  if (signingKeys.size >= 64) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

function encodeRfc3986(text: string): string {
  if (/^[A-Za-z0-9_.~-]*$/.test(text)) return text;
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function accessDenied(message: string): S3Error {
  return new S3Error(403, 'AccessDenied', message);
}

function one(value: string | string[] | undefined): string {
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function hmacHex(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex');
}
