import {
  CreateBucketCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type {
  BucketLocationConstraint,
  GetObjectCommandOutput,
  HeadObjectCommandOutput,
  ListObjectsV2CommandOutput,
} from '@aws-sdk/client-s3';

import type { Secret } from '../process/secret.ts';
import { systemClock } from '../time/clock.ts';
import type { Clock } from '../time/clock.ts';
import { BlobStoreError } from './blob.ts';
import type { Blob, BlobStore, PutOptions } from './blob.ts';
import { blobStoreError, isRetryable, s3FaultOf } from './s3-fault.ts';
import type { S3Fault } from './s3-fault.ts';

export interface S3BlobStoreConfig {
  /** Absent: AWS's own for the region. */
  endpoint?: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: Secret;
  /** True for everything but AWS. */
  forcePathStyle: boolean;
  /** For the pauses between attempts. */
  clock?: Pick<Clock, 'sleep'>;
}

interface Bucket {
  client: S3Client;
  name: string;
  where: string;
  sleep: Clock['sleep'];
  closed: boolean;
}

const KEYS_PER_DELETE = 1000;
/** Of every request (D 2.8). */
const ATTEMPTS = 3;
/** Milliseconds between two of them (D 2.8). */
const PAUSE_MS = 2000;

/** Opens a bucket of any S3-compatible store, which is created if absent (decision 4); rejects with BlobStoreError when it cannot be used. */
export async function openS3BlobStore(config: S3BlobStoreConfig): Promise<BlobStore> {
  const bucket = connect(config);
  try {
    await ensureBucket(bucket, config);
  } catch (error) {
    bucket.client.destroy();
    throw error;
  }
  return {
    get: (key, signal) => getObject(bucket, key, undefined, signal) as Promise<Blob | undefined>,
    getIfChanged: (key, etag) => getObject(bucket, key, etag),
    head: (key) => headObject(bucket, key),
    put: (key, body, options) => putObject(bucket, key, body, options),
    delete: (keys) => deleteObjects(bucket, keys),
    list: (prefix) => listObjects(bucket, prefix),
    close() {
      bucket.closed = true;
      bucket.client.destroy();
    },
  };
}

function connect(config: S3BlobStoreConfig): Bucket {
  const { secretAccessKey, accessKeyId, region, forcePathStyle } = config;
  const client = new S3Client({
    ...(config.endpoint === undefined ? {} : { endpoint: config.endpoint }),
    region,
    forcePathStyle,
    credentials: async () => ({ accessKeyId, secretAccessKey: secretAccessKey.reveal() }),
    maxAttempts: 1, // `attempt` below is the only layer that repeats a request
    requestHandler: {
      connectionTimeout: 5000,
      requestTimeout: 60_000,
      throwOnRequestTimeout: true,
    },
  });
  return {
    client,
    name: config.bucket,
    where: `${config.endpoint === undefined ? `of AWS in ${region}` : originOf(config.endpoint)}, bucket ${config.bucket}`,
    sleep: (config.clock ?? systemClock).sleep,
    closed: false,
  };
}

/** Without a user name or password that someone may have put into the address. */
function originOf(endpoint: string): string {
  if (URL.canParse(endpoint)) return new URL(endpoint).origin;
  throw new BlobStoreError('REFUSED', 'object store: S3_ENDPOINT is not an address like https://host:port');
}

async function ensureBucket(bucket: Bucket, config: S3BlobStoreConfig): Promise<void> {
  const { client, name } = bucket;
  const found = await attempt(bucket, 'open', () => client.send(new HeadBucketCommand({ Bucket: name })), {
    expect: ({ status }) => (status === 404 ? 'absent' : undefined),
  });
  if (found !== 'absent') return;
  const ofAws = config.endpoint === undefined && config.region !== 'us-east-1';
  const location = ofAws
    ? { CreateBucketConfiguration: { LocationConstraint: config.region as BucketLocationConstraint } }
    : {};
  await attempt(bucket, 'create bucket', () => client.send(new CreateBucketCommand({ Bucket: name, ...location })), {
    // Another process of the mesh may have been faster.
    expect: ({ code }) => (code === 'BucketAlreadyOwnedByYou' ? 'exists' : undefined),
  });
}

async function getObject(
  bucket: Bucket,
  key: string,
  etag?: string,
  signal?: AbortSignal,
): Promise<Blob | 'unchanged' | undefined> {
  const command = { Bucket: bucket.name, Key: key, ...(etag === undefined ? {} : { IfNoneMatch: etag }) };
  const send = async (): Promise<Blob> => {
    const found = await bucket.client.send(new GetObjectCommand(command), signal ? { abortSignal: signal } : {});
    const bytes = (await found.Body?.transformToByteArray()) ?? new Uint8Array();
    return { ...described(key, found), body: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  };
  const blob = await attempt(bucket, `get ${key}`, send, {
    expect: (fault) => (fault.status === 304 ? 'unchanged' : isAbsent(fault) ? 'absent' : undefined),
    ...(signal ? { signal } : {}),
  });
  return blob === 'absent' ? undefined : blob;
}

async function headObject(bucket: Bucket, key: string): Promise<Omit<Blob, 'body'> | undefined> {
  const send = async () =>
    described(key, await bucket.client.send(new HeadObjectCommand({ Bucket: bucket.name, Key: key })));
  const head = await attempt(bucket, `head ${key}`, send, {
    expect: (fault) => (isAbsent(fault) ? 'absent' : undefined),
  });
  return head === 'absent' ? undefined : head;
}

async function putObject(
  bucket: Bucket,
  key: string,
  body: Uint8Array,
  options: PutOptions,
): Promise<{ etag: string } | 'exists'> {
  const command = new PutObjectCommand({
    Bucket: bucket.name,
    Key: key,
    Body: body,
    ContentType: options.contentType,
    CacheControl: options.cacheControl,
    ...(options.metadata ? { Metadata: options.metadata } : {}),
    ...(options.onlyIfAbsent ? { IfNoneMatch: '*' } : {}),
  });
  let tries = 0;
  const send = async () => {
    tries++;
    return { etag: (await bucket.client.send(command)).ETag ?? '' };
  };
  const done = await attempt(bucket, `put ${key}`, send, {
    expect: ({ status }) => (options.onlyIfAbsent && status === 412 ? 'exists' : undefined),
  });
  if (done !== 'exists' || tries === 1) return done;
  // An earlier attempt may have stored the object and lost only its answer: then what exists is ours.
  const stored = await getObject(bucket, key);
  return stored !== undefined && stored !== 'unchanged' && stored.body.equals(body) ? { etag: stored.etag } : 'exists';
}

async function deleteObjects(bucket: Bucket, keys: readonly string[]): Promise<void> {
  for (let from = 0; from < keys.length; from += KEYS_PER_DELETE) {
    const Objects = keys.slice(from, from + KEYS_PER_DELETE).map((Key) => ({ Key }));
    const command = new DeleteObjectsCommand({ Bucket: bucket.name, Delete: { Objects, Quiet: true } });
    const what = `delete ${Objects.length} objects`;
    const answer = await attempt(bucket, what, () => bucket.client.send(command));
    // The answer is 200 even when single keys were refused.
    const refused = answer.Errors?.[0];
    if (refused)
      throw blobStoreError(s3FaultOf({ name: refused.Code, $metadata: { httpStatusCode: 200 } }), what, bucket.where);
  }
}

async function* listObjects(
  bucket: Bucket,
  prefix: string,
): AsyncGenerator<{ key: string; etag: string; size: number }> {
  let token: string | undefined;
  do {
    const command = {
      Bucket: bucket.name,
      Prefix: prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    };
    const page: ListObjectsV2CommandOutput = await attempt(bucket, `list ${prefix}`, () =>
      bucket.client.send(new ListObjectsV2Command(command)),
    );
    for (const { Key, ETag, Size } of page.Contents ?? []) {
      if (Key !== undefined) yield { key: Key, etag: ETag ?? '', size: Size ?? 0 };
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

interface AttemptOptions<E> {
  /** Turns a fault that the caller expects into an answer; it is not repeated. */
  expect?: (fault: S3Fault) => E | undefined;
  signal?: AbortSignal;
}

async function attempt<T, E = never>(
  bucket: Bucket,
  what: string,
  send: () => Promise<T>,
  options: AttemptOptions<E> = {},
): Promise<T | E> {
  for (let n = 1; ; n++) {
    if (bucket.closed) throw blobStoreError({ status: 0, code: 'Closed' }, what, bucket.where);
    try {
      return await send();
    } catch (error) {
      options.signal?.throwIfAborted();
      const fault = s3FaultOf(error);
      const expected = options.expect?.(fault);
      if (expected !== undefined) return expected;
      if (n >= ATTEMPTS || !isRetryable(fault)) throw blobStoreError(fault, what, bucket.where);
    }
    await bucket.sleep(PAUSE_MS, options.signal);
  }
}

function isAbsent({ status, code }: S3Fault): boolean {
  return status === 404 && code !== 'NoSuchBucket';
}

function described(key: string, found: GetObjectCommandOutput | HeadObjectCommandOutput): Omit<Blob, 'body'> {
  return {
    key,
    ...(found.ContentType === undefined ? {} : { contentType: found.ContentType }),
    ...(found.CacheControl === undefined ? {} : { cacheControl: found.CacheControl }),
    etag: found.ETag ?? '',
    lastModified: found.LastModified ?? new Date(0),
    metadata: found.Metadata ?? {},
  };
}
