import { createHash } from 'node:crypto';

import { BlobStoreError } from '../blob/blob.ts';
import type { Blob, BlobStore, PutOptions } from '../blob/blob.ts';
import { systemClock } from '../time/clock.ts';
import type { Clock } from '../time/clock.ts';

/** One request as a real store would see it: a delete of 1,500 keys is two, a list of 1,500 objects too. */
export interface BlobRequest {
  operation: 'get' | 'head' | 'put' | 'delete' | 'list';
  /** The object key; the prefix of a list; empty for a delete. */
  key: string;
  /** Of a delete. */
  keys?: readonly string[];
  /** Of a put. */
  options?: PutOptions;
}

export interface PlannedFailure {
  /** 'before' (default): nothing happens; 'after': the store has done it, but the answer is lost. */
  when?: 'before' | 'after';
  /** The request and all that follow fail, as for a process that was killed there; see `heal`. */
  forGood?: boolean;
}

/** In-memory twin of a bucket that passes the same contract, with planned failures and a record of requests. */
export interface MemoryBlobStore extends BlobStore {
  /** Every request since the start or `forgetRequests`, failed ones included, in order. */
  readonly requests: readonly BlobRequest[];
  /** The objects themselves; a copy. */
  objects(): Map<string, Blob>;
  /** Lets the n-th request from now fail, counted from 1. */
  failRequest(nth: number, failure?: PlannedFailure): void;
  /** Lets every request fail for which `isHit` is true, until `heal`. */
  failWhere(isHit: (request: BlobRequest) => boolean, failure?: Pick<PlannedFailure, 'when'>): void;
  /** Takes back all planned failures. */
  heal(): void;
  forgetRequests(): void;
}

const PAGE = 1000;

export function memoryBlobStore(clock: Pick<Clock, 'nowMs'> = systemClock): MemoryBlobStore {
  const objects = new Map<string, Blob>();
  const requests: BlobRequest[] = [];
  let seen = 0;
  let planned: { isHit: (request: BlobRequest, number: number) => boolean; when: 'before' | 'after' }[] = [];
  let closed = false;

  async function request<T>(made: BlobRequest, act: () => T): Promise<T> {
    if (closed) throw new BlobStoreError('CLOSED', 'object store in memory: the client has been closed');
    requests.push(made);
    const number = ++seen;
    const failure = planned.find(({ isHit }) => isHit(made, number));
    await Promise.resolve(); // as with a real store, others may run in between
    if (failure?.when === 'before') throw lost();
    const answer = act();
    if (failure) throw lost();
    return answer;
  }

  return {
    requests,
    objects: () => new Map([...objects].map(([key, blob]) => [key, copyOf(blob)])),
    failRequest(nth, { when = 'before', forGood = false } = {}) {
      const first = seen + nth;
      planned.push({ isHit: (_, number) => number === first || (forGood && number > first), when });
    },
    failWhere(isHit, { when = 'before' } = {}) {
      planned.push({ isHit, when });
    },
    heal() {
      planned = [];
    },
    forgetRequests() {
      requests.length = 0;
    },
    get: async (key, signal) => {
      signal?.throwIfAborted();
      return request({ operation: 'get', key }, () => found(objects.get(key)));
    },
    getIfChanged: (key, etag) =>
      request({ operation: 'get', key }, () => {
        const blob = objects.get(key);
        return blob?.etag === etag ? 'unchanged' : found(blob);
      }),
    head: (key) =>
      request({ operation: 'head', key }, () => {
        const blob = objects.get(key);
        if (!blob) return undefined;
        const { body: _, ...head } = copyOf(blob);
        return head;
      }),
    put: (key, body, options) => {
      const bytes = Buffer.from(body);
      return request({ operation: 'put', key, options }, () => {
        if (options.onlyIfAbsent && objects.has(key)) return 'exists';
        const blob = newBlob(key, bytes, options, clock.nowMs());
        objects.set(key, blob);
        return { etag: blob.etag };
      });
    },
    async delete(keys) {
      for (let from = 0; from < keys.length; from += PAGE) {
        const page = keys.slice(from, from + PAGE);
        await request({ operation: 'delete', key: '', keys: page }, () => page.forEach((key) => objects.delete(key)));
      }
    },
    async *list(prefix) {
      let last: string | undefined;
      for (;;) {
        const page = await request({ operation: 'list', key: prefix }, () => pageAfter(objects, prefix, last));
        for (const { key, etag, body } of page.blobs) yield { key, etag, size: body.length };
        last = page.blobs.at(-1)?.key;
        if (!page.more) return;
      }
    },
    close() {
      closed = true;
    },
  };
}

function lost(): BlobStoreError {
  return new BlobStoreError('UNREACHABLE', 'object store in memory: planned failure');
}

function pageAfter(
  objects: ReadonlyMap<string, Blob>,
  prefix: string,
  last: string | undefined,
): { blobs: Blob[]; more: boolean } {
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(prefix) && (last === undefined || byBytes(key, last) > 0))
    .sort(byBytes);
  return { blobs: keys.slice(0, PAGE).map((key) => objects.get(key) as Blob), more: keys.length > PAGE };
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function newBlob(key: string, body: Buffer, options: PutOptions, nowMs: number): Blob {
  const metadata = Object.entries(options.metadata ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    key,
    body,
    contentType: options.contentType,
    cacheControl: options.cacheControl,
    etag: `"${createHash('md5').update(body).digest('hex')}"`,
    lastModified: new Date(Math.floor(nowMs / 1000) * 1000),
    metadata: Object.fromEntries(metadata),
  };
}

function found(blob: Blob | undefined): Blob | undefined {
  return blob && copyOf(blob);
}

function copyOf(blob: Blob): Blob {
  return {
    ...blob,
    body: Buffer.from(blob.body),
    lastModified: new Date(blob.lastModified),
    metadata: { ...blob.metadata },
  };
}
