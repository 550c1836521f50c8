/**
 * `npm run proto:breaking`: compares `proto/` with that of the last commit; a change that breaks a caller fails. The
 * committed tree is handed to buf as an archive, so that a shallow clone is enough; where there is no commit yet, there
 * is nothing to break and it says so. Another root than this repository's may be given as the only argument.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const repository = join(import.meta.dirname, '..', '..');
const root = resolve(process.argv[2] ?? repository);

const git = (...args: string[]) => spawnSync('git', args, { cwd: root, maxBuffer: 256 * 1024 * 1024 });

const reason = nothingToCompare();
if (reason === undefined) process.exitCode = compare();
else console.log(`breaking changes not looked for: ${reason}`);

function nothingToCompare(): string | undefined {
  const inside = git('rev-parse', '--is-inside-work-tree');
  if (inside.error) return 'git is not installed';
  if (inside.status !== 0) return 'this is not a git work tree';
  if (git('rev-parse', '--verify', '--quiet', 'HEAD^{commit}').status !== 0) return 'there is no commit yet';
  if (git('cat-file', '-e', 'HEAD:./proto').status !== 0) return 'the last commit has no proto/';
  return undefined;
}

function compare(): number {
  const archive = git('archive', '--format=tar', 'HEAD', 'buf.yaml', 'proto');
  if (archive.status !== 0) {
    console.error(`the last commit cannot be read: ${archive.stderr.toString().trim()}`);
    return 1;
  }
  const folder = mkdtempSync(join(tmpdir(), 'cwa-proto-'));
  try {
    const before = join(folder, 'before.tar');
    writeFileSync(before, archive.stdout);
    const buf = join(repository, 'node_modules', '.bin', 'buf');
    const run = spawnSync(buf, ['breaking', '--against', before], { cwd: root, stdio: 'inherit' });
    if (run.status === 0) console.log('no breaking change against the last commit');
    return run.status ?? 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
