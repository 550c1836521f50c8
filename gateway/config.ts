import { z } from 'zod';
import { readBlobStoreConfig } from '../lib/blob/config.ts';
import type { S3BlobStoreConfig } from '../lib/blob/s3-blob-store.ts';
import { type Env, integer, port, readEnv, readParts, secretFile } from '../lib/process/config.ts';
import type { Rates } from './rate-limits.ts';

const mebibyte = 1_024 * 1_024;

const schema = z.object({
  /** Empty: every address, IPv6 and IPv4. */
  GATEWAY_HOST: z.string().default(''),
  GATEWAY_PHONE_PORT: port(8443),
  GATEWAY_PARTNER_PORT: port(8444),
  /** Where operators' metrics are asked for; only the mesh may reach it. */
  GATEWAY_MESH_HOST: z.string().default('127.0.0.1'),
  GATEWAY_MESH_PORT: port(0),
  GATEWAY_MANAGEMENT_HOST: z.string().default('127.0.0.1'),
  GATEWAY_MANAGEMENT_PORT: port(9101),
  /** Who the gateway is inside the mesh. */
  GATEWAY_TLS_CERT_FILE: z.string(),
  GATEWAY_TLS_KEY_FILE: z.string(),
  GATEWAY_TLS_CA_FILE: z.string(),
  /** Who it is to phones and partners, and who signs partners' certificates; default: the same files. */
  GATEWAY_PUBLIC_CERT_FILE: z.string().optional(),
  GATEWAY_PUBLIC_KEY_FILE: z.string().optional(),
  GATEWAY_PARTNER_CA_FILE: z.string().optional(),
  GATEWAY_PARTNERS_FILE: z.string(),
  /** Decision 13: above p99.9 of real handling at 70 % load; 0 answers at once. */
  GATEWAY_ANSWER_FLOOR_MS: integer({ min: 0, max: 10_000, default: 500 }),
  GATEWAY_GATHER_WINDOW_MS: integer({ min: 0, max: 100, default: 3 }),
  GATEWAY_GATHER_ITEMS: integer({ min: 1, max: 1_000, default: 200 }),
  /** Longest time for one mesh call; phones wait 20 s (S 5.3). */
  GATEWAY_MESH_DEADLINE_MS: integer({ min: 100, max: 60_000, default: 10_000 }),
  GATEWAY_MAX_CONNECTIONS: integer({ min: 1, max: 1_000_000, default: 20_000 }),
  GATEWAY_MAX_PHONE_REQUESTS: integer({ min: 1, max: 1_000_000, default: 10_000 }),
  GATEWAY_MAX_PARTNER_REQUESTS: integer({ min: 1, max: 10_000, default: 64 }),
  /** Requests a second of this process, whoever they come from; above them 503 (decision 16). First: all of phones. */
  GATEWAY_MAX_PHONE_REQUESTS_PER_SECOND: integer({ min: 1, max: 1_000_000, default: 20_000 }),
  GATEWAY_MAX_UPLOADS_PER_SECOND: integer({ min: 1, max: 1_000_000, default: 6_000 }),
  GATEWAY_MAX_REGISTRATIONS_PER_SECOND: integer({ min: 1, max: 1_000_000, default: 6_000 }),
  GATEWAY_MAX_RESULTS_PER_SECOND: integer({ min: 1, max: 1_000_000, default: 15_000 }),
  GATEWAY_MAX_TANS_PER_SECOND: integer({ min: 1, max: 1_000_000, default: 6_000 }),
  GATEWAY_MAX_DOWNLOADS_PER_SECOND: integer({ min: 1, max: 1_000_000, default: 30_000 }),
  GATEWAY_MAX_PARTNER_REQUESTS_PER_SECOND: integer({ min: 1, max: 1_000_000, default: 5_000 }),
  GATEWAY_MAX_HELD_MIB: integer({ min: 1, max: 65_536, default: 128 }),
  GATEWAY_SLOW_MS: integer({ min: 100, max: 600_000, default: 30_000 }),
  GATEWAY_CACHE_MIB: integer({ min: 1, max: 65_536, default: 128 }),
  GATEWAY_FRESH_MS: integer({ min: 0, max: 60_000, default: 100 }),
  GATEWAY_IMMUTABLE_FRESH_MS: integer({ min: 0, max: 3_600_000, default: 5_000 }),
  /** Shared with the prober; without it no request is recognised as synthetic. */
  PROBE_REQUEST_SECRET_FILE: secretFile({ min: 32 }).optional(),
  SUBMISSION_ADDRESS: z.string(),
  VERIFICATION_ADDRESS: z.string(),
  TEST_RESULT_ADDRESS: z.string(),
});

export interface Config {
  readonly settings: Readonly<z.infer<typeof schema>>;
  readonly store: S3BlobStoreConfig;
}

export const readConfig = (env: Env): Config =>
  readParts<Config>({
    settings: () => readEnv(schema, env),
    // A download waits for it: better to serve what is in memory, or 503, than to try for long.
    store: () => ({ ...readBlobStoreConfig(env), attempts: 2, backoffMs: 100, requestTimeoutMs: 5_000 }),
  });

export const ratesOf = (settings: Config['settings']): Rates => ({
  phones: settings.GATEWAY_MAX_PHONE_REQUESTS_PER_SECOND,
  upload: settings.GATEWAY_MAX_UPLOADS_PER_SECOND,
  registration: settings.GATEWAY_MAX_REGISTRATIONS_PER_SECOND,
  result: settings.GATEWAY_MAX_RESULTS_PER_SECOND,
  tan: settings.GATEWAY_MAX_TANS_PER_SECOND,
  download: settings.GATEWAY_MAX_DOWNLOADS_PER_SECOND,
  partner: settings.GATEWAY_MAX_PARTNER_REQUESTS_PER_SECOND,
});

export const heldBytes = (settings: Config['settings']): number => settings.GATEWAY_MAX_HELD_MIB * mebibyte;
export const cacheBytes = (settings: Config['settings']): number => settings.GATEWAY_CACHE_MIB * mebibyte;
