import { z } from 'zod';
import { readBlobStoreConfig } from '../../lib/blob/config.ts';
import type { S3BlobStoreConfig } from '../../lib/blob/s3-blob-store.ts';
import { type DatabaseConfig, readDatabaseConfig } from '../../lib/db/pool.ts';
import {
  ConfigError,
  countries,
  type Env,
  fileContent,
  integer,
  port,
  readEnv,
  readParts,
} from '../../lib/process/config.ts';
import { faultsOf } from './app-config/build.ts';
import {
  changedConfiguration,
  type ConfigurationSource,
  defaultConfiguration,
  placeholderDigest,
} from './app-config/source.ts';
import { fixedRules, type PublishingRules } from './rules.ts';
import type { Signer } from './signer.ts';
import { readSigners } from './signing-config.ts';

const schema = z.object({
  DISTRIBUTION_HOST: z.string().default('127.0.0.1'),
  DISTRIBUTION_PORT: port(8504),
  DISTRIBUTION_MANAGEMENT_HOST: z.string().default('127.0.0.1'),
  DISTRIBUTION_MANAGEMENT_PORT: port(9105),
  DISTRIBUTION_TLS_CERT_FILE: z.string(),
  DISTRIBUTION_TLS_KEY_FILE: z.string(),
  DISTRIBUTION_TLS_CA_FILE: z.string(),
  SUBMISSION_ADDRESS: z.string().regex(/^[^\s/]+:\d+$/, 'must look like host:port'),
  /** 0: runs only when the scheduler asks. */
  DISTRIBUTION_INTERVAL_SECONDS: integer({ min: 0, max: 3_600, default: 0 }),
  DISTRIBUTION_MAXIMUM_FAILED_REQUESTS: integer({ min: 1, max: 64, default: 5 }),
});

/** The names of the contract (D 2.11), each also with the prefix DISTRIBUTION_, which wins. Bounds: decision 27. */
const rulesSchema = z.object({
  ORIGIN_COUNTRY: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter country code')
    .default('DE'),
  SUPPORTED_COUNTRIES: countries(['DE', 'FR', 'IT', 'ES', 'NL', 'AT']),
  DAYS_TO_PUBLISH: integer({ min: 1, max: 14, default: 14 }),
  EXPIRY_POLICY_MINUTES: integer({ min: 120, max: 720, default: 120 }),
  MINIMUM_TRL_VALUE_ALLOWED: integer({ min: 1, max: 8, default: 3 }),
});

const configurationSchema = z.object({
  /** JSON with the values that differ from the published defaults. */
  DISTRIBUTION_APP_CONFIGURATION_FILE: fileContent().optional(),
  /** Hex; Android refuses a configuration without it. */
  DISTRIBUTION_REISSUE_KEY_DIGEST: z
    .string()
    .regex(/^([0-9a-fA-F]{2}){1,64}$/, 'must be the digest in hex')
    .optional(),
});

export interface Config {
  readonly settings: Readonly<z.infer<typeof schema>>;
  readonly rules: PublishingRules;
  readonly signers: readonly Signer[];
  readonly configuration: ConfigurationSource;
  /** The digest above was not set: shipped Android apps would trust no reissue service (decision 31). */
  readonly usesPlaceholder: boolean;
  readonly store: S3BlobStoreConfig;
  readonly database: DatabaseConfig;
}

/** Throws `ConfigError` with every fault, those of the app configuration included. */
export function readConfig(env: Env): Config {
  const parts = readParts<Omit<Config, 'usesPlaceholder'>>({
    settings: () => readEnv(schema, env),
    rules: () => readRules(env),
    signers: () => readSigners(env),
    configuration: () => readConfiguration(env),
    store: () => readBlobStoreConfig(env),
    database: () => readDatabase(env),
  });
  const { configuration, rules } = parts;
  const faults = faultsOf(configuration, rules).map(
    ({ field, value, rule }) =>
      `DISTRIBUTION_APP_CONFIGURATION_FILE: ${field} = ${JSON.stringify(value)} breaks ${rule}`,
  );
  if (faults.length > 0) throw new ConfigError(faults);
  return { ...parts, usesPlaceholder: configuration.dgc.reissueServicePublicKeyDigest === placeholderDigest };
}

/** The rules of publishing as far as they can be set; `fixedRules` cannot (decision 27). */
export function readRules(env: Env): PublishingRules {
  const own = Object.keys(rulesSchema.shape).map((name) => [name, env[`DISTRIBUTION_${name}`] || env[name]]);
  const read = readEnv(rulesSchema, Object.fromEntries(own) as Env);
  if (!read.SUPPORTED_COUNTRIES.includes(read.ORIGIN_COUNTRY)) {
    throw new ConfigError(['SUPPORTED_COUNTRIES: must contain ORIGIN_COUNTRY']);
  }
  return Object.freeze({
    originCountry: read.ORIGIN_COUNTRY,
    supportedCountries: read.SUPPORTED_COUNTRIES,
    daysToPublish: read.DAYS_TO_PUBLISH,
    expiryMinutes: read.EXPIRY_POLICY_MINUTES,
    minimumTransmissionRiskLevel: read.MINIMUM_TRL_VALUE_ALLOWED,
    ...fixedRules,
  });
}

/** The configured source, not yet checked: `buildConfiguration` tells its faults. */
export function readConfiguration(env: Env): ConfigurationSource {
  const read = readEnv(configurationSchema, env);
  const base = defaultConfiguration(read.DISTRIBUTION_REISSUE_KEY_DIGEST ?? placeholderDigest);
  const text = read.DISTRIBUTION_APP_CONFIGURATION_FILE;
  if (text === undefined) return base;
  try {
    return changedConfiguration(base, JSON.parse(text));
  } catch {
    throw new ConfigError(['DISTRIBUTION_APP_CONFIGURATION_FILE: the file it names is not JSON']);
  }
}

/** The lease keeps one connection for the whole run; packages are read ahead on another. */
const leastConnections = 4;

function readDatabase(env: Env): DatabaseConfig {
  const database = readDatabaseConfig('DISTRIBUTION', env);
  if (database.poolSize >= leastConnections) return database;
  throw new ConfigError([`DISTRIBUTION_DATABASE_POOL_SIZE: must be at least ${leastConnections}`]);
}
