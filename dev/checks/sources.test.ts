import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readText, repositoryFiles, withoutComments } from './source-files.ts';

const root = join(import.meta.dirname, '..', '..');
const files = repositoryFiles(root);

interface Ban {
  readonly what: string;
  readonly pattern: RegExp;
  /** Files that may. Tests and `dev` always may. */
  readonly homes: RegExp;
  readonly planted: readonly string[];
}

const bans: readonly Ban[] = [
  {
    what: 'the system clock',
    pattern:
      /\bDate\.now\b|\bnew Date\b(?!\()|\bnew Date\(\s*\)|(?<!new )\bDate\(|\bperformance\.now\b|\bprocess\.hrtime\b/,
    homes: /^lib\/time\//,
    planted: ['Date.now()', 'const d = new Date();', 'new Date', 'Date()', 'performance.now()', 'process.hrtime()'],
  },
  {
    what: 'randomness',
    pattern: /\bMath\.random\b|\b(randomBytes|randomInt|randomUUID|randomFill|randomFillSync|getRandomValues)\b/,
    homes: /^lib\/random\//,
    planted: ['Math.random()', `import { randomBytes } from 'node:crypto';`, 'crypto.randomUUID()'],
  },
  {
    what: 'the environment',
    pattern: /\bprocess\.env\b|\bprocess\[['"]env|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*'node:process'/,
    // A main hands the environment to its readConfig, which then can be tested with any environment.
    homes: /^lib\/process\/|(^|\/)(config|main)\.ts$/,
    planted: [`process.env['X']`, `const { X } = process.env;`, `import { env } from 'node:process';`],
  },
];

const isHandWritten = (path: string): boolean => /^(lib|svc|gateway|ops-api|phone)\/.*\.ts$/.test(path);
const isTest = (path: string): boolean => /\.test\.ts$|\/fixtures\/|^lib\/testing\//.test(path);

const breaks = (ban: Ban, path: string, text: string): boolean =>
  isHandWritten(path) && !isTest(path) && !ban.homes.test(path) && ban.pattern.test(withoutComments(text));

for (const ban of bans) {
  test(`${ban.what} is reached only in its home`, () => {
    expect(files.filter((path) => breaks(ban, path, isHandWritten(path) ? readText(root, path) : ''))).toEqual([]);
  });

  test(`a planted use of ${ban.what} is found, outside its home only`, () => {
    for (const text of ban.planted) expect(breaks(ban, 'svc/a/handler.ts', `const a = 1;\n${text}\n`), text).toBe(true);
    expect(breaks(ban, 'svc/a/handler.ts', `// ${ban.planted[0]}\nconst a = new Date(0);`)).toBe(false);
    const home = ['lib/time/clock.ts', 'lib/random/random.ts', 'svc/a/config.ts'].filter((path) =>
      ban.homes.test(path),
    );
    for (const path of home) expect(breaks(ban, path, ban.planted[0] ?? '')).toBe(false);
    expect(home).toHaveLength(1);
  });
}

const handedIn = /^import (?!type )[^;]*?\{(?<names>[^}]*)\}[^;]*?from '[./]*\/lib\/(time|random)\//gm;

/** Names that a phone's file imports from lib/time or lib/random as values. */
const valuesOfClockAndRandom = (text: string): string[] =>
  [...text.matchAll(handedIn)]
    .flatMap((match) => (match.groups?.['names'] ?? '').split(','))
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));

test('phone-is-a-stranger: a phone names the types of clock and randomness and imports no value of theirs', () => {
  const phone = files.filter((path) => path.startsWith('phone/') && path.endsWith('.ts') && !isTest(path));
  expect(phone.filter((path) => valuesOfClockAndRandom(readText(root, path)).length > 0)).toEqual([]);

  expect(valuesOfClockAndRandom(`import { systemClock } from '../lib/time/clock.ts';`)).toEqual(['systemClock']);
  expect(valuesOfClockAndRandom(`import type { Clock } from '../lib/time/clock.ts';`)).toEqual([]);
  expect(valuesOfClockAndRandom(`import { type Clock } from '../../lib/time/clock.ts';`)).toEqual([]);
});

/** Places of one machine, and hosts that packages were once fetched from. Written so that this file has none. */
const places = new RegExp(
  ['work', 'home', 'root', 'Users'].map((name) => `(?<![\\w.$}~])/${name}/\\w`).join('|') +
    '|registry\\.\\w+\\.(org|com)',
);
const isText = (path: string): boolean =>
  /\.(ts|cjs|mjs|js|json|md|ya?ml|sql|proto|sh|txt|toml)$|(^|\/)[^.]+$|^\./.test(path);

test('no file names a place on one machine or a package host', () => {
  const guilty = files.filter(isText).flatMap((path) => {
    const line = readText(root, path)
      .split('\n')
      .findIndex((text) => places.test(text));
    return line < 0 ? [] : [`${path}:${line + 1}`];
  });
  expect(guilty).toEqual([]);

  for (const planted of ['work/main', 'home/ada', 'root/x', 'Users/ada'])
    expect(places.test(`cd /${planted}`)).toBe(true);
  expect(places.test(['https://registry', 'example', 'org/x'].join('.'))).toBe(true);
});

test('the lock file says nothing about where packages came from, and its versions are exact', () => {
  expect(readText(root, 'package-lock.json')).not.toContain('resolved');
  const manifest = JSON.parse(readText(root, 'package.json')) as Record<string, Record<string, string>>;
  const groups = ['dependencies', 'devDependencies', 'optionalDependencies'].map((name) => manifest[name] ?? {});
  const versions = groups.flatMap((group) => Object.entries(group));
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
});

test('every dependency has a line that says why it is there, and no line is left over', () => {
  const manifest = JSON.parse(readText(root, 'package.json')) as Record<string, Record<string, string>>;
  const groups = ['dependencies', 'devDependencies', 'optionalDependencies'].map((name) => manifest[name] ?? {});
  const names = groups.flatMap((group) => Object.keys(group)).sort();
  const explained = [...readText(root, 'docs/dependencies.md').matchAll(/^\| `([^`]+)` \| \S/gm)].map(
    (match) => match[1],
  );
  expect(explained.sort()).toEqual(names);
});
