import { z } from 'zod';
import { ConfigError, type Env, flag, readEnv, secretFile, secretText } from '../process/config.ts';
import type { S3BlobStoreConfig } from './s3-blob-store.ts';

const schema = z.object({
  S3_ENDPOINT: z.url({ protocol: /^https?$/, error: 'must be an address like https://host:port' }).optional(),
  S3_REGION: z.string().default('eu-central-1'),
  S3_BUCKET: z.string(),
  S3_ACCESS_KEY_ID: z.string(),
  S3_SECRET_ACCESS_KEY: secretText().optional(),
  S3_SECRET_ACCESS_KEY_FILE: secretFile().optional(),
  S3_FORCE_PATH_STYLE: flag(true),
});

/** The `S3_…` settings, the same for every process that uses the object store (decision 4). Throws `ConfigError`. */
export function readBlobStoreConfig(env: Env): S3BlobStoreConfig {
  const read = readEnv(schema, env);
  const secret = read.S3_SECRET_ACCESS_KEY_FILE ?? read.S3_SECRET_ACCESS_KEY;
  if (secret === undefined) {
    throw new ConfigError(['S3_SECRET_ACCESS_KEY_FILE is not set: it or S3_SECRET_ACCESS_KEY is required']);
  }
  return {
    ...(read.S3_ENDPOINT === undefined ? {} : { endpoint: read.S3_ENDPOINT }),
    region: read.S3_REGION,
    bucket: read.S3_BUCKET,
    accessKeyId: read.S3_ACCESS_KEY_ID,
    secretAccessKey: secret,
    forcePathStyle: read.S3_FORCE_PATH_STYLE,
  };
}
