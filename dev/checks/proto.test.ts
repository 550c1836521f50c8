import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
// Each case compiles all protos once or twice, beside whatever else runs.
vi.setConfig({ testTimeout: 120_000 });
let copy = '';

beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'cwa-proto-check-'));
  for (const name of ['proto', 'gen', 'buf.yaml', 'buf.gen.yaml']) {
    cpSync(join(root, name), join(copy, name), { recursive: true });
  }
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

const check = (script: string) => {
  const run = spawnSync(process.execPath, [join(import.meta.dirname, script), copy], { encoding: 'utf8' });
  return { status: run.status, said: run.stdout + run.stderr };
};
const git = (...args: string[]) =>
  spawnSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], { cwd: copy });
const commit = () => {
  git('init', '-q');
  git('add', '-A');
  git('commit', '-q', '-m', 'before');
};

const proto = 'proto/cwa/verification/v1/verification.proto';
const generated = 'gen/mesh/cwa/verification/v1/verification.ts';

test('gen:check passes on current code and leaves the tree alone', () => {
  const before = readFileSync(join(copy, generated), 'utf8');
  expect(check('generated-code.ts')).toMatchObject({ status: 0, said: expect.stringContaining('gen/ is current') });
  expect(readFileSync(join(copy, generated), 'utf8')).toBe(before);
});

test('gen:check fails on a changed proto, names the file, and does not mend it', () => {
  appendFileSync(join(copy, proto), '\nmessage Planted {\n  string word = 1;\n}\n');
  const before = readFileSync(join(copy, generated), 'utf8');
  const { status, said } = check('generated-code.ts');
  expect(status).toBe(1);
  expect(said).toContain(`${generated} differs`);
  expect(readFileSync(join(copy, generated), 'utf8')).toBe(before);
});

test('gen:check fails on generated files that are missing or left over', () => {
  rmSync(join(copy, generated));
  writeFileSync(join(copy, 'gen/edge/stray.ts'), '');
  const { status, said } = check('generated-code.ts');
  expect(status).toBe(1);
  expect(said).toContain(`${generated} is missing`);
  expect(said).toContain('gen/edge/stray.ts is left over');
});

test('proto:breaking passes unchanged and fails when a field of the last commit is gone', () => {
  commit();
  expect(check('proto-breaking.ts').status).toBe(0);

  const text = readFileSync(join(copy, proto), 'utf8');
  const field = /^ {2}\w+ \w+ = 1;.*\n/m;
  expect(text).toMatch(field);
  writeFileSync(join(copy, proto), text.replace(field, ''));
  const { status, said } = check('proto-breaking.ts');
  expect(status).not.toBe(0);
  expect(said).toContain(proto);
});

test('proto:breaking says plainly that there is nothing to compare with and does not fail', () => {
  expect(check('proto-breaking.ts')).toEqual({
    status: 0,
    said: 'breaking changes not looked for: this is not a git work tree\n',
  });
  git('init', '-q');
  expect(check('proto-breaking.ts')).toEqual({
    status: 0,
    said: 'breaking changes not looked for: there is no commit yet\n',
  });
});
