import { expect, test } from 'vitest';
import { sinks } from '../canary/sinks.ts';
import { repositoryRoot } from '../mesh/child.ts';
import { readText, repositoryFiles } from './source-files.ts';
import { waysOut } from './ways-out.ts';

const isProductCode = (path: string): boolean =>
  /^(lib|svc|gateway|ops-api|phone)\/.*\.[cm]?[jt]sx?$/.test(path) &&
  !/\.test\.ts$|\.d\.ts$|\/fixtures\/|^lib\/testing\//.test(path);

/** What they load is a folder of this repository and a program of this machine's kind; nothing that a request names. */
const loaders = ['ops-api/service.ts', 'lib/db/embedded-postgres-files.ts'];

const senders = repositoryFiles(repositoryRoot)
  .filter(isProductCode)
  .map((path) => ({ path, ways: [...waysOut(readText(repositoryRoot, path))] }))
  .map(({ path, ways }) => ({ path, ways: ways.filter((way) => way !== 'unknown' || !loaders.includes(path)) }))
  .filter(({ ways }) => ways.length > 0);

test('every file that can send, write or print belongs to exactly one sink that the privacy gate knows, and goes its ways alone', () => {
  const wrong = senders
    .map(({ path, ways }) => {
      const own = sinks.filter(({ sources }) => sources.test(path));
      const others = ways.filter((way) => !own.some((sink) => sink.ways.some((known) => known === way)));
      return { path, sinks: own.map(({ name }) => name), others };
    })
    .filter(({ sinks: known, others }) => known.length !== 1 || others.length > 0);
  expect(wrong).toEqual([]);
});

test('no sink is left that nothing writes to, and none has a way that nothing goes', () => {
  const idle = sinks.flatMap(({ name, sources, ways }) => {
    const gone = senders.filter(({ path }) => sources.test(path)).flatMap((sender) => sender.ways);
    return ways.filter((way) => !gone.includes(way)).map((way) => `${name}: ${way}`);
  });
  expect(idle).toEqual([]);
});

test.each([
  [`import { writeFileSync } from 'node:fs';`, 'files'],
  [`import fs from 'node:fs';`, 'files'],
  [`import * as fs from 'node:fs';`, 'files'],
  [`import { open } from 'node:fs/promises';`, 'files'],
  [`export { writeFileSync } from 'node:fs';`, 'files'],
  [`const { writeFileSync } = await import('node:fs');`, 'files'],
  [`import { DatabaseSync } from 'node:sqlite';`, 'files'],
  [`import { createSocket } from 'node:dgram';`, 'network'],
  [`import { request, type Dispatcher } from 'undici';`, 'network'],
  [`import {\n  S3Client,\n} from '@aws-sdk/client-s3';`, 'network'],
  [`await fetch(url);`, 'network'],
  [`new WebSocket(url);`, 'network'],
  [`import { spawn } from 'node:child_process';`, 'processes'],
  [`process.stderr.write('x');`, 'print'],
  [`process.title = token;`, 'print'],
  [`console.log(1);`, 'print'],
  [`const { log } = console;`, 'print'],
  [`process['std' + 'out'].write('x');`, 'unknown'],
  [`process.getBuiltinModule('node:fs');`, 'unknown'],
  [`globalThis['fetch'](url);`, 'unknown'],
  [`import { stdout } from 'node:process';`, 'unknown'],
  [`import { writeHeapSnapshot } from 'node:v8';`, 'unknown'],
  [`import 'side-effects';`, 'unknown'],
  [`import winston from 'winston';`, 'unknown'],
  [`await import(name);`, 'unknown'],
  [`createRequire(import.meta.url)('node:fs');`, 'unknown'],
  [`require('node:fs').writeFileSync(file, token);`, 'unknown'],
])('a planted way out is found: %s', (text, way) => expect([...waysOut(`const a = 1;\n${text}\n`)]).toEqual([way]));

test.each([
  `import { readFileSync, statSync } from 'node:fs';`,
  `import type { AddressInfo } from 'node:net';`,
  `import { type IncomingMessage, type ServerResponse } from 'node:http';`,
  `import { createHash } from 'node:crypto';`,
  `import { z } from 'zod';`,
  `import { jsonLog } from './log.ts';`,
  `// console.log(1)`,
  `store.fetch(key)`,
])('what cannot send is no way out: %s', (text) => expect([...waysOut(`${text}\n`)]).toEqual([]));

test.each(['svc/submission/leak.mjs', 'gateway/leak.cts', 'lib/leak.js', 'phone/leak.tsx'])(
  'product code is looked at whatever its name ends in: %s',
  (path) => expect(isProductCode(path)).toBe(true),
);
