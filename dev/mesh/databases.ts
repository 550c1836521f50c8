import { createDatabase, type EmbeddedPostgres, startEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
import type { Env } from '../../lib/process/config.ts';
import { databaseFolderOf } from './home.ts';

/** Services that own a database; the name is both database and role. */
const owners = {
  TEST_RESULT: 'test_result',
  VERIFICATION: 'verification',
  SUBMISSION: 'submission',
  DISTRIBUTION: 'distribution',
};

export type DatabaseOwner = keyof typeof owners;

export interface Databases {
  /** `<P>_DATABASE_URL` and companions for the process with prefix `P`. */
  envOf(prefix: DatabaseOwner): Record<string, string>;
  urlOf(prefix: DatabaseOwner): string;
  /** The embedded server, absent when every service was given a database of its own. */
  readonly embedded?: EmbeddedPostgres;
}

/** Databases named by the environment are used as they are; the rest live on an embedded PostgreSQL. */
export async function openDatabases(home: string, env: Env, opened: AsyncDisposableStack): Promise<Databases> {
  const prefixes = Object.keys(owners) as DatabaseOwner[];
  const urls = new Map<string, string>();
  let embedded: EmbeddedPostgres | undefined;
  for (const prefix of prefixes) {
    const given = env[`${prefix}_DATABASE_URL`];
    if (given) urls.set(prefix, given);
    else {
      if (embedded === undefined) {
        const server = await startEmbeddedPostgres({ directory: databaseFolderOf(home) });
        opened.defer(() => server.close());
        embedded = server;
      }
      urls.set(prefix, await createDatabase(embedded, owners[prefix]));
    }
  }
  const urlOf = (prefix: DatabaseOwner): string => urls.get(prefix) ?? '';
  return {
    envOf: (prefix) => ({ [`${prefix}_DATABASE_URL`]: urlOf(prefix) }),
    urlOf,
    ...(embedded ? { embedded } : {}),
  };
}
