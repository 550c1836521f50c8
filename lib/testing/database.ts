import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import { openPool, type Pool } from '../db/pool.ts';
import { silentLog } from '../telemetry/log.ts';
import { templateName } from './global-setup.ts';

export interface TestDatabase {
  readonly pool: Pool;
  readonly url: string;
  /** Rows now in `table`. */
  rowCount(table: string): Promise<number>;
  close(): Promise<void>;
}

/**
 * A fresh database cloned from the template of `service` (its migrations applied), on the real PostgreSQL of the test
 * run. Close it in `afterAll`, or use `testDatabase` inside a test.
 */
export async function openTestDatabase(service: string): Promise<TestDatabase> {
  return openClone(templateName(service));
}

/** A copy of `original` as it is now; nobody may be connected to it, so its pool must have been closed. */
export async function cloneTestDatabase(original: Pick<TestDatabase, 'url'>): Promise<TestDatabase> {
  return openClone(new URL(original.url).pathname.slice(1));
}

async function openClone(template: string): Promise<TestDatabase> {
  // PostgreSQL cuts names at 63 octets.
  const name = `${template.slice(0, 40)}_${randomBytes(6).toString('hex')}`;
  const admin = inject('postgresUrl');
  await execute(admin, `create database "${name}" template "${template}"`);
  const url = Object.assign(new URL(admin), { pathname: `/${name}` }).href;
  // Tests ask for more at once than any process does, on machines of any load.
  const options = { connectWithinMs: 60_000 };
  const pool = openPool({ url, poolSize: 8, setting: 'TEST_DATABASE_URL' }, silentLog, options);
  return {
    pool,
    url,
    async rowCount(table) {
      const { rows } = await pool.query<{ n: number }>(`select count(*) as n from ${table}`);
      return rows[0]?.n ?? 0;
    },
    async close() {
      // A database that was copied has had its pool closed before.
      await pool.close().catch(() => {});
      await execute(admin, `drop database if exists "${name}" with (force)`);
    },
  };
}

/** As `openTestDatabase`, closed when the running test ends. */
export async function testDatabase(service: string): Promise<TestDatabase> {
  const database = await openTestDatabase(service);
  onTestFinished(() => database.close());
  return database;
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
