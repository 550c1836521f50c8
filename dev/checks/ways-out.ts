import type { Way } from '../canary/sinks.ts';
import { withoutComments } from './source-files.ts';

/** `unknown`: nobody has said of this module, or of what is loaded at run time, what it can do. */
export type FoundWay = Way | 'unknown';

/** Modules and what can leave a process through them; of `node:fs` only some functions write. */
const ways: readonly (readonly [RegExp, readonly Way[]])[] = [
  [/^node:(net|tls|http|https|http2|dgram|dns(\/promises)?)$/, ['network']],
  [/^node:(child_process|worker_threads|cluster)$/, ['processes']],
  [/^node:sqlite$/, ['files']],
  [
    /^node:(assert|async_hooks|buffer|crypto|events|os|path|perf_hooks|readline|stream|string_decoder|timers|timers\/promises|url|util|zlib)$/,
    [],
  ],
  [/^(undici|pg|fastify|graphql-yoga|jose|node-pg-migrate|@aws-sdk\/client-s3|@grpc\/grpc-js)$/, ['network']],
  [/^@opentelemetry\/exporter-/, ['network']],
  [/^@connectrpc\/connect$/, ['network']],
  [/^@opentelemetry\/(api|context-async-hooks|resources|sdk-(logs|metrics|trace))$/, []],
  [
    /^(@bufbuild\/protobuf(\/wire)?|@noble\/curves\/nist\.js|@peculiar\/x509|graphql|jszip|lru-cache|reflect-metadata|zod)$/,
    [],
  ],
  [/^(@escape\.tech\/graphql-armor-|@graphql-yoga\/(plugin-|render-graphiql$))/, []],
];
const writing =
  /^(write|append|create|open|rename|mkdir|mkdtemp|rm|unlink|cp|copy|link|symlink|chmod|chown|utimes|truncate|fsync|promises|default|\*)/;
/** Globals. Whatever is reached by way of a name that is put together at run time is `unknown`. */
const globals: readonly (readonly [RegExp, FoundWay])[] = [
  [/\bprocess\??\.(stdout|stderr|report|send|emitWarning|title|emit)\b|\bconsole\b(?!')/, 'print'],
  [/(?<![.\w'])fetch\(|\bnew (WebSocket|EventSource)\b/, 'network'],
  [/\bprocess(\?\.)?\[|\bprocess\.(getBuiltinModule|binding|dlopen|mainModule)\b/, 'unknown'],
  [/\b(globalThis|eval|createRequire)\b|\bnew Function\b|(?<![.\w])require\(\s*['"]/, 'unknown'],
  // Not a text: what it loads nobody knows.
  [/(?<![.\w])import\((?!\s*')/, 'unknown'],
];

const staticImport = /\b(?:import|export)\s+(type\s)?\s*([^;'"]*?)\s*from\s+'([^']+)'/g;
const wholeImport = /(?:\bimport\s+|(?<![.\w])import\(\s*)'([^']+)'/g;

/** Every way in which the source can put something outside its process. Types alone cannot. */
export function waysOut(text: string): ReadonlySet<FoundWay> {
  const code = withoutComments(text);
  const found = new Set<FoundWay>();
  for (const [pattern, way] of globals) if (pattern.test(code)) found.add(way);
  for (const [, type, clause = '', from = ''] of code.matchAll(staticImport)) {
    const names = type === undefined ? namesOf(clause) : [];
    if (names.length > 0) for (const way of waysThrough(from, names)) found.add(way);
  }
  for (const [, from = ''] of code.matchAll(wholeImport)) for (const way of waysThrough(from, ['*'])) found.add(way);
  return found;
}

function waysThrough(from: string, names: readonly string[]): readonly FoundWay[] {
  if (from.startsWith('.')) return [];
  if (from === 'node:fs/promises') return ['files'];
  if (from === 'node:fs') return names.some((name) => writing.test(name)) ? ['files'] : [];
  return ways.find(([pattern]) => pattern.test(from))?.[1] ?? ['unknown'];
}

function namesOf(clause: string): string[] {
  const [, braces] = /\{([\s\S]*)\}/.exec(clause) ?? [];
  if (braces === undefined) return ['*'];
  const named = braces
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));
  return clause.trim().startsWith('{') ? named : ['default', ...named];
}
