import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

type Tree = Readonly<Record<string, string>>;

/** A small house that keeps every rule; what a test plants is added to it. */
const clean: Tree = {
  'gen/mesh/a.ts': `import type { Client } from '@grpc/grpc-js';\nexport type A = Client;`,
  'gen/edge/e.ts': `import { create } from '@bufbuild/protobuf';\nexport const e = create;`,
  'lib/db/pool.ts': `import { Pool } from 'pg';\nexport const pool = Pool;`,
  'lib/rpc/server.ts': `import { Server } from '@grpc/grpc-js';\nexport const server = Server;`,
  'lib/blob/s3.ts': `import { S3Client } from '@aws-sdk/client-s3';\nexport const s3 = S3Client;`,
  'lib/time/clock.ts': `export interface Clock { now(): Date }\nexport const systemClock = 1;`,
  'lib/exposure/key.ts': `import { createHash } from 'node:crypto';\nimport { e } from '../../gen/edge/e.ts';\nexport const key = [createHash, e];`,
  'lib/testing/database.ts': `import { Pool } from 'pg';\nexport const testPool = Pool;`,
  'svc/a/main.ts': `import { pool } from '../../lib/db/pool.ts';\nimport { handler } from './handler.ts';\nexport const main = [pool, handler];`,
  'svc/a/handler.ts': `import type { A } from '../../gen/mesh/a.ts';\nimport type { Deps } from './deps.ts';\nimport { rows } from './store.ts';\nexport const handler = (d: Deps, a: A) => [d, a, rows];`,
  'svc/a/deps.ts': `export interface Deps { x: 1 }`,
  'svc/a/config.ts': `export const config = 1;`,
  'svc/a/store.ts': `import { pool } from '../../lib/db/pool.ts';\nexport const rows = pool;`,
  'svc/a/a.test.ts': `import { testPool } from '../../lib/testing/database.ts';\nimport { other } from '../b/other.ts';\nimport { e } from '../../gen/edge/e.ts';\nexport const t = [testPool, other, e];`,
  'svc/prober/journey.ts': `import { phone } from '../../phone/phone.ts';\nimport { server } from '../../lib/rpc/server.ts';\nexport const journey = [phone, server];`,
  'svc/b/other.ts': `export const other = 1;`,
  'svc/b/syntax.ts': [
    `import { other } from './other.ts';`,
    `export * as everything from './other.ts';`,
    `using top = { [Symbol.dispose]() {} };`,
    `export class C<const T> { static { other; } #a = 1; accessor b?: T; override(this: C<T>): asserts this is C<T> { this.#a ??= 2; } }`,
    `export async function* f(xs: AsyncIterable<number>) { await using y = { async [Symbol.asyncDispose]() {} }; for await (const x of xs) yield x satisfies number; return y!; }`,
    'export type Path<A extends string> = `/${A}`;',
    `export const later = () => import('./other.ts');`,
    `export default top;`,
  ].join('\n'),
  'gateway/main.ts': `import { e } from '../gen/edge/e.ts';\nimport { server } from '../lib/rpc/server.ts';\nimport { connect } from '@connectrpc/connect';\nexport const main = [e, server, connect];`,
  'phone/phone.ts': `import { key } from '../lib/exposure/key.ts';\nimport type { Clock } from '../lib/time/clock.ts';\nimport { e } from '../gen/edge/e.ts';\nexport const phone = (c: Clock) => [c, key, e];`,
  'dev/demo.ts': `import { other } from '../svc/b/other.ts';\nimport { phone } from '../phone/phone.ts';\nimport { e } from '../gen/edge/e.ts';\nexport const demo = [other, phone, e];`,
};

const value = (path: string, name = 'x') => `import * as ${name} from '${path}';\nexport const use = ${name};`;
const typeOnly = (path: string) => `import type * as x from '${path}';\nexport type Use = typeof x;`;

const planted: readonly { rule: string; file: string; text: string; also?: Tree }[] = [
  { rule: 'gen-is-a-leaf', file: 'gen/mesh/bad.ts', text: value('../../lib/time/clock.ts') },
  { rule: 'gen-is-a-leaf', file: 'gen/edge/bad.ts', text: typeOnly('../mesh/a.ts') },
  { rule: 'domain-is-pure', file: 'lib/exposure/bad-file.ts', text: value('node:fs') },
  { rule: 'domain-is-pure', file: 'lib/exposure/bad-clock.ts', text: typeOnly('../time/clock.ts') },
  { rule: 'lib-knows-no-service', file: 'lib/time/bad.ts', text: typeOnly('../../svc/b/other.ts') },
  { rule: 'service-to-service-only-by-rpc', file: 'svc/a/bad.ts', text: value('../b/other.ts') },
  { rule: 'service-to-service-only-by-rpc', file: 'svc/a/bad-type.ts', text: typeOnly('../b/other.ts') },
  { rule: 'edge-knows-no-service', file: 'gateway/bad.ts', text: value('../svc/b/other.ts') },
  { rule: 'edge-knows-no-service', file: 'gateway/bad-db.ts', text: value('../lib/db/pool.ts') },
  { rule: 'edge-knows-no-service', file: 'ops-api/bad.ts', text: typeOnly('../gateway/main.ts') },
  { rule: 'prober-is-a-caller', file: 'svc/prober/bad-service.ts', text: value('../b/other.ts') },
  { rule: 'prober-is-a-caller', file: 'svc/prober/bad-table.ts', text: typeOnly('../../lib/db/pool.ts') },
  { rule: 'phone-is-a-stranger', file: 'phone/bad-mesh.ts', text: typeOnly('../gen/mesh/a.ts') },
  { rule: 'phone-is-a-stranger', file: 'phone/bad-lib.ts', text: value('../lib/rpc/server.ts') },
  { rule: 'phone-is-a-stranger', file: 'phone/bad-network.ts', text: value('node:https') },
  { rule: 'edge-code-only-at-the-edge', file: 'svc/a/bad-edge.ts', text: typeOnly('../../gen/edge/e.ts') },
  { rule: 'edge-code-only-at-the-edge', file: 'lib/rpc/bad-connect.ts', text: value('@connectrpc/connect') },
  { rule: 'pg-only-behind-db', file: 'svc/a/bad-pg.ts', text: typeOnly('pg') },
  { rule: 'pg-only-behind-db', file: 'dev/bad-pg.ts', text: value('pg') },
  {
    rule: 'pg-only-behind-db',
    file: 'svc/a/bad-late.ts',
    text: `export const late = async () => { using x = await import('pg'); };`,
  },
  { rule: 'grpc-only-in-rpc', file: 'svc/a/bad-grpc.ts', text: typeOnly('@grpc/grpc-js') },
  { rule: 's3-only-in-blob', file: 'gateway/bad-s3.ts', text: value('@aws-sdk/client-s3') },
  { rule: 'store-is-the-bottom', file: 'svc/b/store.ts', text: typeOnly('./deps.ts'), also: { 'svc/b/deps.ts': '' } },
  { rule: 'store-is-the-bottom', file: 'svc/b/store/rows.ts', text: value('../../../lib/rpc/server.ts') },
  { rule: 'testing-stays-in-tests', file: 'svc/a/bad-testing.ts', text: value('../../lib/testing/database.ts') },
  {
    rule: 'testing-stays-in-tests',
    file: 'svc/b/bad-test.ts',
    text: value('./b.test.ts'),
    also: { 'svc/b/b.test.ts': '' },
  },
  {
    rule: 'no-cycle',
    file: 'svc/b/cycle-a.ts',
    text: typeOnly('./cycle-b.ts'),
    also: { 'svc/b/cycle-b.ts': typeOnly('./cycle-a.ts') },
  },
  { rule: 'every-import-resolves', file: 'svc/b/bad-missing.ts', text: value('./nowhere.ts') },
];

/** Runs the project's own rules over a tree; answers `rule file` for every violation found. */
function violations(tree: Tree): { status: number | null; found: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-imports-'));
  folders.push(folder);
  const packages = ['@grpc/grpc-js', '@bufbuild/protobuf', '@connectrpc/connect', '@aws-sdk/client-s3', 'pg'];
  const stubs = packages.flatMap((name): [string, string][] => [
    [`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' })],
    [`node_modules/${name}/index.js`, ''],
  ]);
  for (const [path, text] of [...Object.entries(tree), ...stubs]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const tops = [...new Set(Object.keys(tree).map((path) => path.split('/')[0] ?? ''))];
  const cruiser = join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const rules = join(root, '.dependency-cruiser.cjs');
  const { status, stdout } = spawnSync(
    process.execPath,
    [cruiser, '--config', rules, '--output-type', 'err', ...tops],
    {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' },
    },
  );
  const lines = [...stdout.matchAll(/^\s*error ([\w-]+): (\S+)/gm)];
  return { status, found: lines.map(([, rule, file]) => `${rule} ${file}`) };
}

test('a clean tree breaks no import rule', () => {
  expect(violations(clean)).toEqual({ status: 0, found: [] });
});

test('a planted violation of each import rule is found under the name of its rule', () => {
  const { found } = violations({
    ...clean,
    ...Object.fromEntries(planted.map(({ file, text }) => [file, text])),
    ...Object.assign({}, ...planted.map(({ also }) => also ?? {})),
  });

  for (const { rule, file } of planted) expect(found).toContain(`${rule} ${file}`);
  const files = new Set(found.map((line) => line.split(' ')[1]));
  expect(files).toEqual(new Set(planted.map(({ file }) => file)));
});

test('one planted violation is enough for a failing exit status', () => {
  const run = violations({ ...clean, 'svc/a/bad.ts': value('../b/other.ts') });
  expect(run).toEqual({ status: 1, found: ['service-to-service-only-by-rpc svc/a/bad.ts'] });
});

test('every rule of the configuration has a planted violation', async () => {
  const rules = (await import(join(root, '.dependency-cruiser.cjs'))) as { default: { forbidden: { name: string }[] } };
  expect(new Set(rules.default.forbidden.map(({ name }) => name))).toEqual(new Set(planted.map(({ rule }) => rule)));
});
