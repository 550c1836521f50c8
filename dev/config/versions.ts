import { databaseUnusable } from '../../lib/db/migrate.ts';
import { openPool, type Pool, readDatabaseConfig } from '../../lib/db/pool.ts';
import type { Env } from '../../lib/process/config.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { filesOf } from '../../svc/distribution/app-config/choose.ts';
import {
  type ConfigurationVersion,
  readConfigurationFiles,
  readConfigurationHistory,
  readRollback,
  requestRollback,
} from '../../svc/distribution/store/configuration.ts';
import { homeOf } from '../home.ts';
import { askControl } from '../mesh/control.ts';
import { byObjectKey, type PublishedFiles } from './readable.ts';

/** Versions that distribution keeps, in its database: the one of the environment, or that of the running local mesh. */
export interface Versions {
  /** Newest first; the first is published. */
  history(): Promise<ConfigurationVersion[]>;
  files(version: number, country: string): Promise<PublishedFiles>;
  /** The version that a rollback has put in force or will, with the next run. */
  rollback(): Promise<number | undefined>;
  /** Asks for a version; answers whether a run has published it already. */
  bringBack(version: number): Promise<boolean>;
}

export async function withVersions<T>(env: Env, use: (versions: Versions) => Promise<T>): Promise<T> {
  const home = homeOf(env);
  const given = env['DISTRIBUTION_DATABASE_URL'];
  const url = given || (await askControl<{ url: string }>(home, 'GET', '/distribution/database')).url;
  const config = readDatabaseConfig('DISTRIBUTION', { ...env, DISTRIBUTION_DATABASE_URL: url });
  const pool = openPool(config, silentLog);
  try {
    await pool.query('SELECT 1').catch((error: unknown) => {
      throw databaseUnusable(config, error);
    });
    return await use(versionsIn(pool, given ? undefined : home));
  } finally {
    await pool.close();
  }
}

function versionsIn(pool: Pool, home: string | undefined): Versions {
  const files: Versions['files'] = async (version, country) => {
    const row = await readConfigurationFiles(pool, version);
    if (row === undefined) throw new Error(`there is no version ${version}; npx cwa config history lists them`);
    return byObjectKey(filesOf(row), country);
  };
  return {
    files,
    history: () => readConfigurationHistory(pool),
    rollback: async () => (await readRollback(pool))?.version,
    async bringBack(version) {
      const history = await readConfigurationHistory(pool);
      const wanted = history.find((one) => one.version === version);
      if (wanted === undefined) throw new Error(`there is no version ${version}; npx cwa config history lists them`);
      if (wanted.content_hash === history[0]?.content_hash && (await readRollback(pool))?.instead_of !== null) {
        throw new Error(`the content of version ${version} is published already`);
      }
      await requestRollback(pool, version);
      if (home !== undefined) await askControl(home, 'POST', '/distribution/run');
      return home !== undefined;
    },
  };
}
