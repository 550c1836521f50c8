import { BlobStoreError } from '../../lib/blob/blob.ts';
import { errorFields } from '../../lib/telemetry/log.ts';
import type { Deps } from './deps.ts';
import { deleteObjects, headObject, type Publication, putObject } from './publication.ts';
import { maximumOctets } from './rules.ts';
import { type PublishedObject, readInventory, recordObject } from './store/inventory.ts';
import { tellPublished } from './tell-published.ts';

/** What a run has done so far. */
export interface RunCounts {
  packages: number;
  put: number;
  deleted: number;
  failed: number;
}

export const noCounts = (): RunCounts => ({ packages: 0, put: 0, deleted: 0, failed: 0 });

/** Too many store requests failed: the store is down, not an object. */
class StoreUnusableError extends Error {
  constructor(failures: number) {
    super(`${failures} requests to the object store failed in one run`);
    this.name = 'StoreUnusableError';
  }
}

/** Writes objects during one run and keeps the inventory; knows what failed. */
export interface Publisher {
  /** What is published, kept current. */
  readonly inventory: ReadonlyMap<string, PublishedObject>;
  /** Whether the object is published as it stands, so that building its body can be spared. */
  isCurrent(objectKey: string, contentHash: string, signedBy: string): boolean;
  /** False when the object is too large or the store failed three times (its own attempts); the run goes on without. */
  publish(publication: Publication): Promise<boolean>;
  /** Deletes exact keys; false when the store failed. */
  remove(objectKeys: readonly string[]): Promise<boolean>;
  forget(objectKeys: readonly string[]): void;
  /** Counts a failure that is not the store's. */
  fail(): void;
  readonly counts: RunCounts;
}

export async function openPublisher(
  d: Pick<Deps, 'clock' | 'pool' | 'blob' | 'log' | 'metrics' | 'maximumFailures'>,
  runNumber: number,
  counts: RunCounts = noCounts(),
): Promise<Publisher> {
  const { pool, blob, log, maximumFailures } = d;
  const inventory = await readInventory(pool);

  const refused = (event: string, file: string, error: unknown): false => {
    if (!(error instanceof BlobStoreError)) throw error;
    counts.failed++;
    log.error(event, { file, reason: error.reason, ...errorFields(error) });
    if (counts.failed > maximumFailures) throw new StoreUnusableError(counts.failed);
    return false;
  };

  const write = async (publication: Publication): Promise<PublishedObject> => {
    const { objectKey, body } = publication;
    const answer = await putObject(blob, publication);
    if (answer !== 'exists') {
      counts.put++;
      return { ...described(publication), etag: answer.etag, size: body.length };
    }
    // A run that died between the write and its record; what stands in the store is what phones have.
    const stored = await headObject(blob, publication);
    if (stored === undefined)
      throw new BlobStoreError('REFUSED', `object store: ${objectKey} exists and cannot be read`);
    const storedHash = stored.metadata['cwa-hash'] ?? '';
    if (storedHash !== publication.contentHash) {
      counts.failed++;
      log.error('published-object-differs', { file: objectKey });
    }
    return { ...described(publication), contentHash: storedHash, etag: stored.etag, size: body.length };
  };

  return {
    inventory,
    counts,
    isCurrent(objectKey, contentHash, signedBy) {
      const known = inventory.get(objectKey);
      return known?.contentHash === contentHash && known.signedBy === signedBy;
    },
    async publish(publication) {
      if (publication.body.length > maximumOctets) {
        counts.failed++;
        log.error('object-too-large', { file: publication.objectKey, bytes: publication.body.length });
        return false;
      }
      let written: PublishedObject;
      try {
        written = await write(publication);
      } catch (error) {
        return refused('object-not-published', publication.objectKey, error);
      }
      await recordObject(pool, runNumber, written);
      inventory.set(written.objectKey, written);
      if (written.kind === 'hour' || written.kind === 'day') counts.packages++;
      tellPublished(d, written);
      return true;
    },
    async remove(objectKeys) {
      if (objectKeys.length === 0) return true;
      try {
        await deleteObjects(blob, objectKeys);
      } catch (error) {
        return refused('objects-not-deleted', objectKeys[0] ?? '', error);
      }
      counts.deleted += objectKeys.length;
      return true;
    },
    forget(objectKeys) {
      for (const key of objectKeys) inventory.delete(key);
    },
    fail() {
      counts.failed++;
    },
  };
}

function described({ objectKey, kind, region, day, hour, contentHash, signedBy }: Publication) {
  return {
    objectKey,
    kind,
    contentHash,
    signedBy,
    ...(region === undefined ? {} : { region }),
    ...(day === undefined ? {} : { day }),
    ...(hour === undefined ? {} : { hour }),
  };
}
