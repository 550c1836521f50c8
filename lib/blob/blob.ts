/** An object of the store that the public downloads come from. */
export interface Blob {
  key: string;
  body: Buffer;
  contentType?: string;
  cacheControl?: string;
  /** In quotes, exactly as the store serves it: phones and revocation lists compare the whole string (D 5.1). */
  etag: string;
  /** Time of the store, not of the mesh; whole seconds. */
  lastModified: Date;
  /** Names in lower case. */
  metadata: Record<string, string>;
}

export interface PutOptions {
  contentType: string;
  cacheControl: string;
  /** Names and values in ASCII, 2 kB together; names come back in lower case. */
  metadata?: Record<string, string>;
  /** A conditional write (If-None-Match: *): of any number of writers exactly one wins. */
  onlyIfAbsent?: boolean;
}

/** What services know of an object store. Every method rejects with BlobStoreError when the store fails. */
export interface BlobStore {
  get(key: string, signal?: AbortSignal): Promise<Blob | undefined>;
  /** `etag` as it was served; 'unchanged' costs no body. */
  getIfChanged(key: string, etag: string): Promise<Blob | 'unchanged' | undefined>;
  head(key: string): Promise<Omit<Blob, 'body'> | undefined>;
  /** Resolves to 'exists' only with `onlyIfAbsent`. */
  put(key: string, body: Uint8Array, options: PutOptions): Promise<{ etag: string } | 'exists'>;
  /** Exact keys, never prefixes (decision 28); absent keys are fine. One request for 1,000 keys. */
  delete(keys: readonly string[]): Promise<void>;
  /** In the order of the keys' bytes, fetched in pages of 1,000. */
  list(prefix: string): AsyncIterable<{ key: string; etag: string; size: number }>;
  close(): void;
}

export type BlobStoreFault =
  | 'UNREACHABLE'
  | 'ACCESS_DENIED'
  | 'CLOCK_SKEWED'
  | 'NO_BUCKET'
  | 'REFUSED'
  | 'DAMAGED'
  | 'CLOSED';

/** A failure of the store itself. The message names the endpoint and the remedy, never a secret. */
export class BlobStoreError extends Error {
  readonly reason: BlobStoreFault;

  constructor(reason: BlobStoreFault, message: string) {
    super(message);
    this.name = 'BlobStoreError';
    this.reason = reason;
  }
}
