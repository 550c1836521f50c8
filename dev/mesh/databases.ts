import { join } from 'node:path';
import { createDatabase, type EmbeddedPostgres, startEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
import type { Env } from '../../lib/process/config.ts';

/** Services that own a database; the name is both database and role. */
const owners = { TEST_RESULT: 'test_result', VERIFICATION: 'verification', SUBMISSION: 'submission', DISTRIBUTION: 'distribution' };

export interface Databases {
  /** `<P>_DATABASE_URL` and companions for the process with prefix `P`. */
  envOf(prefix: keyof typeof owners): Record<string, string>;
  /** The embedded server, absent when every service was given a database of its own. */
  readonly embedded?: EmbeddedPostgres;
}

/** Databases named by the environment are used as they are; the rest live on an embedded PostgreSQL. */
export async function openDatabases(home: string, env: Env): Promise<Databases> {
  const prefixes = Object.keys(owners) as (keyof typeof owners)[];
  const urls = new Map<string, string>();
  let embedded: EmbeddedPostgres | undefined;
  for (const prefix of prefixes) {
    const given = env[`${prefix}_DATABASE_URL`];
    if (given) urls.set(prefix, given);
    else {
      embedded ??= await startEmbeddedPostgres({ directory: join(home, 'postgres') });
      urls.set(prefix, await createDatabase(embedded, owners[prefix]));
    }
  }
  return {
    envOf: (prefix) => ({ [`${prefix}_DATABASE_URL`]: urls.get(prefix) ?? '' }),
    ...(embedded ? { embedded } : {}),
  };
}
