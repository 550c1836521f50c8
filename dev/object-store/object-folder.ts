import { hash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface StoredObject {
  key: string;
  size: number;
  /** With its quotes. */
  etag: string;
  lastModifiedMs: number;
  /** Response headers given at upload: content-type, cache-control, x-amz-meta-… */
  headers: Record<string, string>;
  /** `x-amz-checksum-<algorithm>` to base64. */
  checksums: Record<string, string>;
}

/** Buckets and objects on disk, with an index in memory. One process at a time owns a folder. */
export interface ObjectFolder {
  /** Files that were not whole when the folder was opened; they lie in `damaged/` and are not served. */
  readonly damagedFiles: number;
  buckets(): string[];
  hasBucket(bucket: string): boolean;
  createBucket(bucket: string): void;
  find(bucket: string, key: string): StoredObject | undefined;
  /** In the order of S3: UTF-8 bytes of the key. */
  sorted(bucket: string): readonly StoredObject[];
  /** Bytes `first` to `last`, from the version that `object` describes if it is asked for in the same tick. */
  read(bucket: string, object: StoredObject, first: number, last: number): Buffer | Readable;
  /** `mayReplace` sees the object present at the moment of the swap and throws to refuse. */
  put(
    bucket: string,
    object: StoredObject,
    body: Buffer,
    mayReplace: (existing: StoredObject | undefined) => void,
  ): Promise<void>;
  delete(bucket: string, key: string): void;
}

interface Bucket {
  objects: Map<string, Entry>;
  sorted: StoredObject[] | undefined;
}

interface Entry {
  object: StoredObject;
  bodyAt: number;
  order: string;
}

/** Up to here the thread pool costs more than the few hundred microseconds that a call may block. */
const AT_ONCE = 512 * 1024;
const HEAD_BYTES = 16 * 1024;

/**
 * Opens or creates a data folder. An object is one file, `buckets/<bucket>/<SHA-256 of the key>`: one line of
 * JSON, then the body, put in place by one rename. So a key can be of any length, can be the prefix of another,
 * can never leave the folder, and head and body are never of two versions, wherever the process is killed.
 */
export function openObjectFolder(dir: string): ObjectFolder {
  const temporary = join(dir, 'tmp');
  rmSync(temporary, { recursive: true, force: true });
  for (const folder of ['tmp', 'buckets', 'damaged']) mkdirSync(join(dir, folder), { recursive: true });
  const buckets = new Map<string, Bucket>();
  let damagedFiles = 0;
  for (const name of readdirSync(join(dir, 'buckets'))) {
    const bucket: Bucket = { objects: new Map(), sorted: undefined };
    buckets.set(name, bucket);
    for (const file of readdirSync(join(dir, 'buckets', name))) {
      const path = join(dir, 'buckets', name, file);
      const entry = readHead(path);
      if (entry) bucket.objects.set(entry.object.key, entry);
      else renameSync(path, join(dir, 'damaged', `${name}-${file}-${damagedFiles++}`));
    }
  }

  const pathOf = (bucket: string, key: string): string => join(dir, 'buckets', bucket, hash('sha256', key));
  const bucketOf = (name: string): Bucket => {
    const bucket = buckets.get(name);
    if (!bucket) throw new Error('bucket was not checked before use');
    return bucket;
  };
  let writes = 0;

  return {
    damagedFiles,
    buckets: () => [...buckets.keys()].sort(),
    hasBucket: (name) => buckets.has(name),
    createBucket(name) {
      mkdirSync(join(dir, 'buckets', name), { recursive: true });
      if (!buckets.has(name)) buckets.set(name, { objects: new Map(), sorted: undefined });
    },
    find: (name, key) => bucketOf(name).objects.get(key)?.object,
    sorted(name) {
      const bucket = bucketOf(name);
      bucket.sorted ??= [...bucket.objects.values()].sort((a, b) => (a.order < b.order ? -1 : 1)).map((e) => e.object);
      return bucket.sorted;
    },
    read(name, object, first, last) {
      const bodyAt = bucketOf(name).objects.get(object.key)?.bodyAt ?? 0;
      const length = last - first + 1;
      // Opening at once pins this version even when a rename follows; small files are cheaper to read at once too.
      const fd = openSync(pathOf(name, object.key), 'r');
      if (length > AT_ONCE) return createReadStream('', { fd, start: bodyAt + first, end: bodyAt + last });
      try {
        const bytes = Buffer.allocUnsafe(length);
        if (length > 0) readSync(fd, bytes, 0, length, bodyAt + first);
        return bytes;
      } finally {
        closeSync(fd);
      }
    },
    async put(name, object, body, mayReplace) {
      const bucket = bucketOf(name);
      mayReplace(bucket.objects.get(object.key)?.object); // spares the write when the answer is already known
      const head = Buffer.from(`${JSON.stringify(object)}\n`);
      const file = join(temporary, `${writes++}`);
      try {
        const bytes = Buffer.concat([head, body]);
        if (bytes.length <= AT_ONCE) writeFileSync(file, bytes);
        else await writeFile(file, bytes);
        // From here to the end nothing awaits: of several conditional writes exactly one can win.
        mayReplace(bucket.objects.get(object.key)?.object);
        renameSync(file, pathOf(name, object.key));
      } catch (error) {
        rmSync(file, { force: true });
        throw error;
      }
      bucket.objects.set(object.key, { object, bodyAt: head.length, order: orderOf(object.key) });
      bucket.sorted = undefined;
    },
    delete(name, key) {
      const bucket = bucketOf(name);
      if (!bucket.objects.has(key)) return;
      rmSync(pathOf(name, key), { force: true });
      bucket.objects.delete(key);
      bucket.sorted = undefined;
    },
  };
}

/** Comparing these strings compares the UTF-8 bytes of the keys. */
function orderOf(key: string): string {
  return Buffer.from(key).toString('latin1');
}

function readHead(path: string): Entry | undefined {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.allocUnsafe(HEAD_BYTES);
    const length = readSync(fd, bytes, 0, HEAD_BYTES, 0);
    const end = bytes.subarray(0, length).indexOf('\n');
    if (end < 0) return undefined;
    const object = JSON.parse(bytes.toString('utf8', 0, end)) as StoredObject;
    // Only a crash of the machine can shorten a file: bodies are not flushed to the disk one by one.
    if (fstatSync(fd).size !== end + 1 + object.size) return undefined;
    return { object, bodyAt: end + 1, order: orderOf(object.key) };
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
