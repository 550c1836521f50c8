import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createDatabase, removeEmbeddedPostgres, startEmbeddedPostgres } from '../db/embedded-postgres.ts';
import { migrate } from '../db/migrate.ts';
import { silentLog } from '../telemetry/log.ts';

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string;
  }
}

/** One PostgreSQL for the whole test run, with a migrated template database for each service that has migrations. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const root = join(import.meta.dirname, '..', '..');
  const directory = mkdtempSync(join(tmpdir(), 'cwa-test-'));
  const server = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off' } });
  for (const service of readdirSync(join(root, 'svc'))) {
    const migrations = join(root, 'svc', service, 'migrations');
    if (!existsSync(migrations)) continue;
    const url = await createDatabase(server, templateName(service));
    await migrate({ url, poolSize: 1, setting: 'template' }, migrations, silentLog);
  }
  project.provide('postgresUrl', server.url('postgres'));
  return async () => {
    await server.close();
    removeEmbeddedPostgres(join(directory, 'postgres'));
    rmSync(directory, { recursive: true, force: true });
  };
}

/** The template of `test-result` is `template_test_result`. */
export const templateName = (service: string): string => `template_${service.replaceAll('-', '_')}`;
