import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { readText, repositoryFiles } from './source-files.ts';

const root = join(import.meta.dirname, '..', '..');
const files = repositoryFiles(root);
const documents = files.filter((path) => path.endsWith('.md') && !path.includes('/fixtures/'));
const code = files
  .filter((path) => /\.(ts|cjs)$/.test(path))
  .map((path) => readText(root, path))
  .join('\n');
const { scripts, bin } = JSON.parse(readText(root, 'package.json')) as Record<
  'scripts' | 'bin',
  Record<string, string>
>;

const found = (text: string, pattern: RegExp): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

test.each(documents)('%s: its links lead somewhere and its commands exist', (path) => {
  const text = readText(root, path);
  const links = found(text, /\]\((?!https?:|#)([^)#]+)[^)]*\)/g);
  expect(links.filter((link) => !existsSync(join(root, path, '..', link)))).toEqual([]);
  expect(found(text, /npm run ([a-z][\w:-]*)/g).filter((name) => scripts[name] === undefined)).toEqual([]);
});

test('README: every setting it names is read by the code', () => {
  const settings = found(readText(root, 'README.md'), /\b((?:[A-Z][A-Z0-9]*_)+[A-Z][A-Z0-9]*)\b/g);
  const isRead = (name: string): boolean =>
    code.includes(name) ||
    /_(DATABASE_URL|MANAGEMENT_PORT)$/.test(name) ||
    code.includes(`}_${name.replace(/^_/, '')}`);
  expect([...new Set(settings)].filter((name) => !isRead(name))).toEqual([]);
});

/** `A_{B,C}_D` as the names that it stands for. */
const spelledOut = (text: string): string =>
  text.replace(/(\w*)\{([A-Z_,]+)\}(\w*)/g, (_all, before: string, parts: string, after: string) =>
    parts
      .split(',')
      .map((part) => `${before}${part}${after}`)
      .join(' '),
  );

const configured = files.filter((path) => /^(gateway|ops-api|svc\/[^/]+)\/config\.ts$/.test(path));
test.each(configured)('%s: the README beside it names every setting', (path) => {
  const folder = dirname(path);
  const prefix = basename(folder).toUpperCase().replace('-', '_');
  const readme = spelledOut(readText(root, `${folder}/README.md`));
  // `GATEWAY_HOST`, or after it `_PORT`.
  const isNamed = (name: string) => readme.includes(name) || readme.includes(`\`${name.replace(prefix, '')}\``);
  const settings = found(readText(root, path), /^\s+([A-Z][A-Z0-9_]+): /gm);
  expect(settings.length).toBeGreaterThan(3);
  expect(settings.filter((name) => !isNamed(name))).toEqual([]);
});

test('every script that is a file runs a file that exists', () => {
  const run = Object.values(scripts).flatMap((script) => found(script, /\bnode (?:--\S+ )*([\w./-]+\.ts)/g));
  expect(run.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

test('npx finds a command that can be executed and starts under the Node beside it', () => {
  for (const file of Object.values(bin)) {
    expect(readText(root, file)).toMatch(/^#!\/usr\/bin\/env node\n/);
    // npm sets the bit when it links the command; were it not committed, that would change a tracked file.
    expect(statSync(join(root, file)).mode & 0o111).toBe(0o111);
  }
});

test('scripts run under the Node that the project brings, whatever the machine has', () => {
  expect(Number(process.versions.node.split('.')[0])).toBeGreaterThanOrEqual(26);
});

test('continuous integration runs the command of the README', () => {
  expect(readText(root, 'README.md')).toContain('npm ci && npm test');
  const steps = readText(root, '.ci/run')
    .split('\n')
    .filter((line) => /^\s*(if ! )?npm /.test(line));
  expect(steps.map((line) => /npm (ci|test|run \S+)/.exec(line)?.[1])).toEqual(['ci', 'test', 'run test:tools']);
});
