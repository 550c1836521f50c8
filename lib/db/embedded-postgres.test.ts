import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createDatabase, removeEmbeddedPostgres, startEmbeddedPostgres } from './embedded-postgres.ts';

async function connects(url: string): Promise<boolean> {
  const client = new pg.Client(url);
  client.on('error', () => {});
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

test('nobody gets in without a password, and an owner only into its own database', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-embedded-'));
  const directory = join(folder, 'postgres');
  const server = await startEmbeddedPostgres({ directory });
  onTestFinished(async () => {
    await server.close();
    removeEmbeddedPostgres(directory);
    rmSync(folder, { recursive: true, force: true });
  });
  const one = await createDatabase(server, 'one');
  const two = await createDatabase(server, 'two');

  expect(await connects(one)).toBe(true);
  expect(await connects(`postgres://cwa_admin@127.0.0.1:${server.port}/postgres`)).toBe(false);
  expect(await connects(`postgres://one@127.0.0.1:${server.port}/one`)).toBe(false);
  expect(await connects(one.replace(/\/one$/, '/two'))).toBe(false);
  expect(await connects(two.replace(/\/two$/, '/one'))).toBe(false);
  expect(statSync(`${directory}.password`).mode & 0o777).toBe(0o600);
});

test('the database of a test run asks for a password too', async () => {
  const url = new URL(inject('postgresUrl'));
  url.password = '';
  expect(await connects(url.href)).toBe(false);
});
