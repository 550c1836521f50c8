import { z } from 'zod';
import { DEFAULT_KEY_RULE_SETTINGS, DEFAULT_MAX_NUMBER_OF_KEYS } from '../../lib/exposure/upload-rules.ts';
import { type DatabaseConfig, readDatabaseConfig } from '../../lib/db/pool.ts';
import { countries, type Env, integer, port, readEnv, readParts, secretFile } from '../../lib/process/config.ts';

const schema = z.object({
  SUBMISSION_HOST: z.string().default('127.0.0.1'),
  SUBMISSION_PORT: port(8501),
  SUBMISSION_MANAGEMENT_HOST: z.string().default('127.0.0.1'),
  SUBMISSION_MANAGEMENT_PORT: port(9102),
  SUBMISSION_TLS_CERT_FILE: z.string(),
  SUBMISSION_TLS_KEY_FILE: z.string(),
  SUBMISSION_TLS_CA_FILE: z.string(),
  VERIFICATION_ADDRESS: z.string().regex(/^[^\s/]+:\d+$/, 'must look like host:port'),
  SUBMISSION_SWEEP_INTERVAL_SECONDS: integer({ min: 1, max: 3_600, default: 30 }),
  SUBMISSION_RETENTION_INTERVAL_SECONDS: integer({ min: 1, max: 3_600, default: 60 }),
  /** Shared with the prober; without it no key is recognised as synthetic. */
  PROBE_KEY_SECRET_FILE: secretFile({ min: 32 }).optional(),
});

const retention = DEFAULT_KEY_RULE_SETTINGS.retentionDays;

/** The names of the contract (S 1.13), each also with the prefix SUBMISSION_, which wins. */
const intakeSchema = z.object({
  MAX_NUMBER_OF_KEYS: integer({ min: 7, max: 100, default: DEFAULT_MAX_NUMBER_OF_KEYS }),
  // Less than the default only: nothing outlives its term.
  RETENTION_DAYS: integer({ min: 1, max: retention, default: retention }),
  ORIGIN_COUNTRY: z
    .string()
    .regex(/^[A-Z]{2}$/, 'must be a two-letter country code')
    .default('DE'),
  SUPPORTED_COUNTRIES: countries(['DE', 'FR', 'IT', 'ES', 'NL', 'AT']),
  RANDOM_KEY_PADDING_MULTIPLIER: integer({ min: 1, max: 25, default: 1 }),
});

/** The rules of the intake, as far as they can be set. */
export interface IntakeConfig {
  readonly maxNumberOfKeys: number;
  readonly retentionDays: number;
  readonly originCountry: string;
  readonly supportedCountries: readonly string[];
  readonly keyPaddingMultiplier: number;
}

export interface Config {
  readonly settings: Readonly<z.infer<typeof schema>>;
  readonly intake: IntakeConfig;
  readonly database: DatabaseConfig;
}

/** Throws `ConfigError` with every fault. */
export const readConfig = (env: Env): Config =>
  readParts<Config>({
    settings: () => readEnv(schema, env),
    intake: () => readIntakeConfig(env),
    database: () => readDatabaseConfig('SUBMISSION', env),
  });

function readIntakeConfig(env: Env): IntakeConfig {
  const read = readEnv(intakeSchema, withoutPrefix(env));
  return Object.freeze({
    maxNumberOfKeys: read.MAX_NUMBER_OF_KEYS,
    retentionDays: read.RETENTION_DAYS,
    originCountry: read.ORIGIN_COUNTRY,
    supportedCountries: read.SUPPORTED_COUNTRIES,
    keyPaddingMultiplier: read.RANDOM_KEY_PADDING_MULTIPLIER,
  });
}

function withoutPrefix(env: Env): Env {
  const own = Object.keys(intakeSchema.shape).map((name) => [name, env[`SUBMISSION_${name}`] || env[name]]);
  return Object.fromEntries(own);
}
