import { z } from 'zod';
import { type DatabaseConfig, readDatabaseConfig } from '../../lib/db/pool.ts';
import { type Env, flag, integer, port, readEnv, readParts, secretFile } from '../../lib/process/config.ts';
import type { Rules } from './deps.ts';

const schema = z.object({
  VERIFICATION_HOST: z.string().default('127.0.0.1'),
  VERIFICATION_PORT: port(8502),
  VERIFICATION_MANAGEMENT_HOST: z.string().default('127.0.0.1'),
  VERIFICATION_MANAGEMENT_PORT: port(9103),
  VERIFICATION_TLS_CERT_FILE: z.string(),
  VERIFICATION_TLS_KEY_FILE: z.string(),
  VERIFICATION_TLS_CA_FILE: z.string(),
  TEST_RESULT_ADDRESS: z.string().regex(/^[^\s/]+:\d{1,5}$/, 'must look like host:port'),
  VERIFICATION_MAX_REDEEMED_TANS: integer({ min: 1, max: 10, default: 2 }),
  VERIFICATION_DOB_CHECK_DISABLED: flag(false),
  VERIFICATION_TELE_TANS_PER_HOUR: integer({ min: 1, max: 100_000, default: 1_000 }),
  VERIFICATION_REGISTRATION_ALARM_COUNT: integer({ min: 1, max: 10_000_000, default: 20_000 }),
  VERIFICATION_TELE_TAN_PEPPER_FILE: secretFile().refine(
    (pepper) => pepper.reveal().length >= 32,
    'the file it names must hold at least 32 characters',
  ),
  VERIFICATION_RETENTION_INTERVAL_SECONDS: integer({ min: 1, max: 3_600, default: 60 }),
  VERIFICATION_PURGE_INTERVAL_SECONDS: integer({ min: 60, max: 604_800, default: 86_400 }),
});

type Settings = Readonly<z.infer<typeof schema>>;

export interface Config {
  readonly settings: Settings;
  readonly database: DatabaseConfig;
}

export const readConfig = (env: Env): Config =>
  readParts<Config>({ settings: () => readEnv(schema, env), database: () => readDatabaseConfig('VERIFICATION', env) });

export const rulesOf = (settings: Settings): Rules => ({
  maxRedeemedTans: settings.VERIFICATION_MAX_REDEEMED_TANS,
  dobCheckDisabled: settings.VERIFICATION_DOB_CHECK_DISABLED,
  teleTansPerHour: settings.VERIFICATION_TELE_TANS_PER_HOUR,
  registrationAlarmCount: settings.VERIFICATION_REGISTRATION_ALARM_COUNT,
  teleTanPepper: settings.VERIFICATION_TELE_TAN_PEPPER_FILE,
});
