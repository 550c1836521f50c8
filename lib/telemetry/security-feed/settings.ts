import { z } from 'zod';
import { type Env, integer, readEnv } from '../../process/config.ts';
import type { TlsFiles } from '../../rpc/certificates.ts';

export interface CollectorSettings {
  readonly url: URL;
  readonly files: TlsFiles;
  readonly bufferDir: string;
  readonly bufferBytes: number;
}

export interface SecurityFeedSettings {
  /** Undefined: events go to the log. */
  readonly collector?: CollectorSettings;
}

/** Settings that hold the paths of the feed's own certificate, key and CA. */
export const certificateSettings = {
  certFile: 'SECURITY_FEED_CERT_FILE',
  keyFile: 'SECURITY_FEED_KEY_FILE',
  caFile: 'SECURITY_FEED_CA_FILE',
} as const;

const mebibyte = 1_048_576;

/** Reads where the feed goes; with a URL everything else must be set too. */
export function readSecurityFeedSettings(env: Env): SecurityFeedSettings {
  if (!env['SECURITY_FEED_URL']) return {};
  const read = readEnv(
    z.object({
      SECURITY_FEED_URL: z.url({ protocol: /^https$/, error: 'must be an https:// URL' }),
      SECURITY_FEED_CERT_FILE: z.string(),
      SECURITY_FEED_KEY_FILE: z.string(),
      SECURITY_FEED_CA_FILE: z.string(),
      SECURITY_FEED_BUFFER_DIR: z.string(),
      SECURITY_FEED_BUFFER_BYTES: integer({ min: mebibyte / 16, max: 1_024 * mebibyte, default: 10 * mebibyte }),
    }),
    env,
  );
  return {
    collector: {
      url: new URL(read.SECURITY_FEED_URL),
      files: {
        certFile: read.SECURITY_FEED_CERT_FILE,
        keyFile: read.SECURITY_FEED_KEY_FILE,
        caFile: read.SECURITY_FEED_CA_FILE,
      },
      bufferDir: read.SECURITY_FEED_BUFFER_DIR,
      bufferBytes: read.SECURITY_FEED_BUFFER_BYTES,
    },
  };
}
