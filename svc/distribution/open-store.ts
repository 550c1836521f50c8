import { type BlobStore, BlobStoreError, type BlobStoreFault } from '../../lib/blob/blob.ts';
import { openS3BlobStore, type S3BlobStoreConfig } from '../../lib/blob/s3-blob-store.ts';
import { ConfigError } from '../../lib/process/config.ts';

const settingOf: Partial<Record<BlobStoreFault, string>> = {
  ACCESS_DENIED: 'S3_ACCESS_KEY_ID',
  NO_BUCKET: 'S3_BUCKET',
};

/** Opens the object store; one that cannot be used ends start-up with one sentence that names the setting. */
export async function openStore(config: S3BlobStoreConfig): Promise<BlobStore> {
  try {
    return await openS3BlobStore(config);
  } catch (error) {
    if (!(error instanceof BlobStoreError)) throw error;
    throw new ConfigError([`${settingOf[error.reason] ?? 'S3_ENDPOINT'}: ${error.message}`]);
  }
}
