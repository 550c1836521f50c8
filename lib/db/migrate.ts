import pg from 'pg';
import { runner } from 'node-pg-migrate';
import { ConfigError } from '../process/config.ts';
import type { Log } from '../telemetry/log.ts';
import { connectionOptions, type DatabaseConfig } from './pool.ts';

/**
 * Brings a service's database up to the SQL files of `directory`, in order, under a lock so that any number of
 * replicas may start at once. Throws `ConfigError` when the database cannot be reached.
 */
export async function migrate(config: DatabaseConfig, directory: string, log: Log): Promise<void> {
  const client = new pg.Client(connectionOptions(config));
  try {
    await client.connect();
  } catch (error) {
    throw databaseUnusable(config, error);
  }
  try {
    const applied = await runner({
      dbClient: client,
      dir: directory,
      direction: 'up',
      count: Number.POSITIVE_INFINITY,
      migrationsTable: 'schema_migration',
      checkOrder: true,
      singleTransaction: true,
      advisoryLockMode: 'wait',
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    });
    for (const { name } of applied) log.info('migration-applied', { migration: name });
  } finally {
    await client.end();
  }
}

/** What a caller reads when nobody answers at the address of a database, or it lets nobody in. */
export function databaseUnusable(config: DatabaseConfig, error: unknown): ConfigError {
  const { hostname, port, pathname } = new URL(config.url);
  const code = (error as { code?: string }).code ?? (error instanceof Error ? error.name : 'error');
  const at = `${hostname}:${port || 5432}${pathname}`;
  const remedy = 'start PostgreSQL there or correct the setting';
  return new ConfigError([`${config.setting}: the database at ${at} cannot be used (${code}); ${remedy}`]);
}
