import { z } from 'zod';
import { type DatabaseConfig, readDatabaseConfig } from '../../lib/db/pool.ts';
import { type Env, integer, port, readEnv, readParts } from '../../lib/process/config.ts';

const schema = z.object({
  TEST_RESULT_HOST: z.string().default('127.0.0.1'),
  TEST_RESULT_PORT: port(8503),
  TEST_RESULT_MANAGEMENT_HOST: z.string().default('127.0.0.1'),
  TEST_RESULT_MANAGEMENT_PORT: port(9104),
  TEST_RESULT_TLS_CERT_FILE: z.string(),
  TEST_RESULT_TLS_KEY_FILE: z.string(),
  TEST_RESULT_TLS_CA_FILE: z.string(),
  TEST_RESULT_RETENTION_INTERVAL_SECONDS: integer({ min: 1, max: 3_600, default: 60 }),
  TEST_RESULT_PURGE_INTERVAL_SECONDS: integer({ min: 60, max: 604_800, default: 86_400 }),
});

export interface Config {
  readonly settings: Readonly<z.infer<typeof schema>>;
  readonly database: DatabaseConfig;
}

export const readConfig = (env: Env): Config =>
  readParts<Config>({ settings: () => readEnv(schema, env), database: () => readDatabaseConfig('TEST_RESULT', env) });
