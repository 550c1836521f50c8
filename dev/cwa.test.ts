import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { repositoryRoot } from './mesh/child.ts';

const cwa = (args: readonly string[], stdout: 'pipe' | number) =>
  spawnSync(process.execPath, ['dev/cwa.ts', ...args], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    stdio: ['ignore', stdout, 'pipe'],
  });

test('a full disk under the output is said in one line, with status 2', { timeout: 120_000 }, (context) => {
  if (!existsSync('/dev/full')) context.skip('no /dev/full on this system');
  const full = openSync('/dev/full', 'w');
  try {
    const { status, stderr } = cwa(['--help'], full);
    expect(stderr).toBe('cwa: the output cannot be written (ENOSPC)\n');
    expect(status).toBe(2);
  } finally {
    closeSync(full);
  }
});

test('a database that nobody serves is said with its setting and the remedy', { timeout: 120_000 }, () => {
  const env = { PATH: process.env['PATH'], DISTRIBUTION_DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' };
  const args = ['dev/cwa.ts', 'config', 'history'];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: repositoryRoot, encoding: 'utf8', env });
  expect(stderr).toMatch(
    /^cwa: DISTRIBUTION_DATABASE_URL: the database at 127\.0\.0\.1:1\/nothing .* start PostgreSQL/,
  );
  expect(status).toBe(2);
});

test('a reader that has seen enough is no fault', { timeout: 120_000 }, () => {
  const { status, stdout, stderr } = spawnSync(
    'bash',
    ['-c', 'set -o pipefail; "$0" dev/cwa.ts --help | true', process.execPath],
    { cwd: repositoryRoot, encoding: 'utf8' },
  );
  expect([stdout, stderr, status]).toEqual(['', '', 0]);
});
