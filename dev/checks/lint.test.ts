import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'cwa-lint-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Lints one file by the project's rules; answers the names of the rules it breaks. */
function lint(text: string): { status: number | null; rules: Set<string> } {
  const compilerOptions = {
    target: 'es2024',
    lib: ['es2024'],
    module: 'nodenext',
    strict: true,
    noEmit: true,
    types: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  writeFileSync(join(folder, 'file.ts'), text);
  const tools = join(root, 'node_modules', '.bin');
  const args = ['--type-aware', '--deny-warnings', '-c', join(root, '.oxlintrc.json'), '-f', 'unix', 'file.ts'];
  const { status, stdout } = spawnSync(join(tools, 'oxlint'), args, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: [tools, process.env['PATH'] ?? ''].join(delimiter) },
  });
  return { status, rules: new Set([...stdout.matchAll(/\[Error\/([\w()/-]+)\]/g)].map((match) => match[1] ?? '')) };
}

const work = 'const work = async (): Promise<boolean> => false;\n';
const planted: readonly [rule: string, text: string][] = [
  ['typescript(no-floating-promises)', `${work}export const f = (): void => { work(); };\n`],
  ['typescript(no-misused-promises)', `${work}export const f = (): number => (work() ? 1 : 2);\n`],
  [
    'typescript(switch-exhaustiveness-check)',
    `export function f(x: 'a' | 'b'): void { switch (x) { case 'a': throw new Error(x); } }\n`,
  ],
  ['typescript(no-explicit-any)', 'export const f = (x: any): unknown => x;\n'],
  ['import(no-default-export)', 'export default 1;\n'],
];

test.each(planted)('%s: a planted violation is found', (rule, text) => {
  const { status, rules } = lint(text);
  expect(rules).toContain(rule);
  expect(status).toBe(1);
});

test('clean code passes', () => {
  expect(lint(`${work}export const f = async (): Promise<number> => ((await work()) ? 1 : 2);\n`)).toEqual({
    status: 0,
    rules: new Set(),
  });
});
