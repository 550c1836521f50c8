import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { readBlobStoreConfig } from '../../lib/blob/config.ts';
import { openS3BlobStore } from '../../lib/blob/s3-blob-store.ts';
import { openPool } from '../../lib/db/pool.ts';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import type { Secret } from './secret.ts';

/** A place in which something was looked for, and what it held: `log gateway.log`, `column verification.tan.hash`. */
export interface Holding {
  readonly place: string;
  readonly octets: Buffer;
}

/** One form of a secret in one place. */
export interface Sighting {
  readonly kind: string;
  readonly form: string;
  readonly place: string;
}

/** A sighting that is as it should be. */
export interface Belonging {
  readonly kind: string;
  readonly form: string;
  readonly place: RegExp;
}

/** All sightings, each once. */
export function search(secrets: readonly Secret[], holdings: Iterable<Holding>): Sighting[] {
  const sightings = new Map<string, Sighting>();
  for (const { place, octets } of holdings) {
    for (const { kind, forms } of secrets) {
      for (const { name, octets: needle } of forms) {
        const id = `${kind}|${name}|${place}`;
        if (!sightings.has(id) && octets.includes(needle)) sightings.set(id, { kind, form: name, place });
      }
    }
  }
  return [...sightings.values()];
}

/** The sightings that no rule explains. */
export function strays(sightings: readonly Sighting[], belongings: readonly Belonging[]): Sighting[] {
  return sightings.filter(
    ({ kind, form, place }) =>
      !belongings.some(
        (belonging) => belonging.kind === kind && belonging.form === form && belonging.place.test(place),
      ),
  );
}

/** Every file below a folder, a place each. */
export function* filesUnder(folder: string, label: string, changedSinceMs = 0): Generator<Holding> {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (statSync(path).mtimeMs < changedSinceMs) continue;
    yield { place: `${label} ${path.slice(folder.length + 1)}`, octets: readFileSync(path) };
  }
}

/** Every object of the store with its names and headers, and what is in the archives among them. */
export async function objectsOf(s3: Readonly<Record<string, string>>): Promise<Holding[]> {
  const store = await openS3BlobStore(readBlobStoreConfig(s3));
  const holdings: Holding[] = [];
  try {
    for await (const { key } of store.list('')) {
      const blob = await store.get(key);
      if (blob === undefined) continue;
      const { body, ...about } = blob;
      const place = `object ${key}`;
      holdings.push({ place, octets: Buffer.concat([Buffer.from(JSON.stringify(about)), body]) });
      if (body.toString('latin1', 0, 2) !== 'PK') continue;
      const { bin, sig } = await openArchive(body);
      holdings.push({ place: `${place}!export.bin`, octets: bin }, { place: `${place}!export.sig`, octets: sig });
    }
  } finally {
    store.close();
  }
  return holdings;
}

/** Every column of every table of a database, a place each; partitions of a day go by their table's name. */
export async function columnsOf(database: string, url: string): Promise<Holding[]> {
  const pool = openPool({ url, poolSize: 1, setting: 'DATABASE_URL' }, silentLog);
  try {
    const { rows: tables } = await pool.query<{ name: string }>(
      `select quote_ident(table_schema) || '.' || quote_ident(table_name) as name from information_schema.tables
       where table_schema not in ('pg_catalog', 'information_schema') and table_type = 'BASE TABLE'`,
    );
    const texts = new Map<string, string[]>();
    for (const { name } of tables) {
      const { rows } = await pool.query<{ row: Record<string, unknown> }>(`select to_jsonb(t) as row from ${name} t`);
      const table = name.replace(/^public\./, '').replace(/_\d+$/, '');
      for (const { row } of rows) {
        for (const [column, value] of Object.entries(row)) {
          const place = `column ${database}.${table}.${column}`;
          texts.set(place, [...(texts.get(place) ?? []), typeof value === 'string' ? value : JSON.stringify(value)]);
        }
      }
    }
    return [...texts].map(([place, values]) => ({ place, octets: Buffer.from(values.join('\n')) }));
  } finally {
    await pool.close();
  }
}

/** What management ports tell, a place each. */
export async function managementAnswers(ports: Readonly<Record<string, number>>): Promise<Holding[]> {
  const asked = Object.entries(ports).flatMap(([name, port]) =>
    ['/metrics', '/health/ready', '/health/live'].map((path) => ({ name, url: `http://127.0.0.1:${port}${path}` })),
  );
  return Promise.all(
    asked.map(async ({ name, url }) => ({
      place: `management ${name} ${new URL(url).pathname}`,
      octets: Buffer.from(await (await fetch(url)).arrayBuffer()),
    })),
  );
}
