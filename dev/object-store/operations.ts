import type { IncomingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';

import { etagOf, verifyChecksums } from './checksum.ts';
import { checkWriteConditions, isNotModified, parseRange } from './conditions.ts';
import { listObjects } from './list-objects.ts';
import type { ObjectFolder, StoredObject } from './object-folder.ts';
import { S3Error, noSuchBucket, noSuchKey, notImplemented } from './s3-error.ts';
import { xmlDocument, xmlTexts } from './xml.ts';
import type { XmlElement } from './xml.ts';

/** A request whose signature, payload hash and chunk framing have been verified. */
export interface ObjectRequest {
  method: string;
  bucket: string;
  key: string;
  query: ReadonlyMap<string, string>;
  headers: IncomingHttpHeaders;
  body: Buffer;
  trailers: Record<string, string>;
  nowMs: number;
}

export interface Reply {
  status: number;
  headers: Record<string, string>;
  body?: string | Buffer | Readable;
  /** Of a HEAD, whose body is not sent. */
  contentLength?: number;
}

const KEPT_HEADERS = ['content-type', 'cache-control', 'content-disposition', 'content-language', 'expires'] as const;
const BUCKET_NAME = /^[a-z0-9][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)*$/;
const XML = { 'content-type': 'application/xml' };

/** One S3 operation. Whatever it does not know it refuses: nothing is half understood. */
export async function perform(folder: ObjectFolder, request: ObjectRequest): Promise<Reply> {
  const { method, bucket, key, query } = request;
  if (bucket === '') return listBuckets(folder, request);
  if (key === '' && method === 'PUT') return createBucket(folder, bucket, query);
  if (!folder.hasBucket(bucket)) throw noSuchBucket();
  if (key === '') return performOnBucket(folder, request);
  for (const name of query.keys()) if (name !== 'x-id') throw notImplemented('this object operation');
  switch (method) {
    case 'PUT':
      return putObject(folder, request);
    case 'GET':
    case 'HEAD':
      return getObject(folder, request);
    case 'DELETE':
      folder.delete(bucket, key);
      return { status: 204, headers: {} };
    default:
      throw methodNotAllowed();
  }
}

function performOnBucket(folder: ObjectFolder, request: ObjectRequest): Reply {
  if (request.method === 'HEAD') return { status: 200, headers: {} };
  if (request.method === 'GET')
    return { status: 200, headers: XML, body: listObjects(folder, request.bucket, request.query) };
  if (request.method === 'POST' && request.query.has('delete')) return deleteObjects(folder, request);
  throw methodNotAllowed();
}

function listBuckets(folder: ObjectFolder, { method }: ObjectRequest): Reply {
  if (method !== 'GET') throw methodNotAllowed();
  const buckets = folder.buckets().map((name): XmlElement => ['Bucket', [['Name', name]]]);
  return { status: 200, headers: XML, body: xmlDocument(['ListAllMyBucketsResult', [['Buckets', buckets]]]) };
}

function createBucket(folder: ObjectFolder, bucket: string, query: ReadonlyMap<string, string>): Reply {
  if ([...query.keys()].some((name) => name !== 'x-id')) throw notImplemented('this bucket operation');
  checkBucketName(bucket);
  if (folder.hasBucket(bucket))
    throw new S3Error(409, 'BucketAlreadyOwnedByYou', 'The bucket already exists and belongs to you.');
  folder.createBucket(bucket);
  return { status: 200, headers: { location: `/${bucket}` } };
}

/** Bucket names become folder names, so only S3's own alphabet passes. */
export function checkBucketName(bucket: string): void {
  if (bucket.length < 3 || bucket.length > 63 || !BUCKET_NAME.test(bucket))
    throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
}

async function putObject(folder: ObjectFolder, request: ObjectRequest): Promise<Reply> {
  const { bucket, key, headers, body } = request;
  if (headers['x-amz-copy-source'] !== undefined) throw notImplemented('copying');
  if (Buffer.byteLength(key) > 1024) throw new S3Error(400, 'KeyTooLongError', 'Your key is too long.');
  const checksums = verifyChecksums(body, { ...headers, ...request.trailers });
  const object: StoredObject = {
    key,
    size: body.length,
    etag: etagOf(body),
    lastModifiedMs: request.nowMs,
    headers: keptHeaders(headers),
    checksums,
  };
  await folder.put(bucket, object, body, (existing) => checkWriteConditions(headers, existing));
  return { status: 200, headers: { etag: object.etag, ...checksums } };
}

function getObject(folder: ObjectFolder, { method, bucket, key, headers }: ObjectRequest): Reply {
  const object = folder.find(bucket, key);
  if (!object) throw noSuchKey();
  const described = {
    ...object.headers,
    etag: object.etag,
    'last-modified': new Date(object.lastModifiedMs).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (isNotModified(headers, object)) return { status: 304, headers: described };
  const range = parseRange(headers.range, object.size);
  const { first, last } = range ?? { first: 0, last: object.size - 1 };
  const verifiable = headers['x-amz-checksum-mode'] === 'ENABLED' && !range;
  const reply: Reply = {
    status: range ? 206 : 200,
    headers: {
      ...described,
      ...(range ? { 'content-range': `bytes ${first}-${last}/${object.size}` } : {}),
      ...(verifiable ? { ...object.checksums, 'x-amz-checksum-type': 'FULL_OBJECT' } : {}),
    },
    contentLength: last - first + 1,
  };
  return method === 'HEAD' ? reply : { ...reply, body: folder.read(bucket, object, first, last) };
}

function deleteObjects(folder: ObjectFolder, { bucket, headers, body, trailers }: ObjectRequest): Reply {
  verifyChecksums(body, { ...headers, ...trailers });
  const xml = body.toString('utf8');
  const keys = xmlTexts(xml, 'Key');
  if (keys.length === 0 || keys.length > 1000)
    throw new S3Error(400, 'MalformedXML', 'The XML you provided must name between 1 and 1,000 keys.');
  for (const key of keys) folder.delete(bucket, key);
  const quiet = xmlTexts(xml, 'Quiet')[0] === 'true';
  const deleted = quiet ? [] : keys.map((key): XmlElement => ['Deleted', [['Key', key]]]);
  return { status: 200, headers: XML, body: xmlDocument(['DeleteResult', deleted]) };
}

function keptHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = headers[name];
    if (value !== undefined) kept[name] = value;
  }
  kept['content-type'] ??= 'binary/octet-stream';
  const encoding = (headers['content-encoding'] ?? '')
    .split(',')
    .map((e) => e.trim())
    .filter((e) => e && e !== 'aws-chunked');
  if (encoding.length > 0) kept['content-encoding'] = encoding.join(',');
  let metadataBytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('x-amz-meta-') || value === undefined) continue;
    kept[name] = String(value);
    metadataBytes += name.length - 'x-amz-meta-'.length + String(value).length;
  }
  if (metadataBytes > 2048)
    throw new S3Error(400, 'MetadataTooLarge', 'Your metadata headers exceed the maximum allowed size.');
  return kept;
}

function methodNotAllowed(): S3Error {
  return new S3Error(405, 'MethodNotAllowed', 'The specified method is not allowed against this resource.');
}
