/**
 * `npm run gen:check`: generates the code anew into a temporary folder and compares it with `gen/`, byte by byte.
 * Touches nothing in the tree. Another root than this repository's may be given as the only argument.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';

const repository = join(import.meta.dirname, '..', '..');
const root = resolve(process.argv[2] ?? repository);
const tools = join(repository, 'node_modules', '.bin');

const fresh = mkdtempSync(join(tmpdir(), 'cwa-gen-'));
try {
  const env = { ...process.env, PATH: [tools, process.env['PATH'] ?? ''].join(delimiter) };
  const buf = spawnSync(join(tools, 'buf'), ['generate', '-o', fresh], { cwd: root, env, stdio: 'inherit' });
  if (buf.status !== 0) throw new Error('buf generate failed');
  const faults = differences(join(root, 'gen'), join(fresh, 'gen'));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) throw new Error('gen/ is not what proto/ says: run `npm run gen` and commit the result');
  console.log('gen/ is current');
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(fresh, { recursive: true, force: true });
}

/** One line for each file that is missing, left over or different. */
function differences(committed: string, generated: string): string[] {
  const ours = filesOf(committed);
  const theirs = filesOf(generated);
  return [...new Set([...ours, ...theirs])].sort().flatMap((path) => {
    if (!ours.has(path)) return [`gen/${path} is missing`];
    if (!theirs.has(path)) return [`gen/${path} is left over`];
    const same = readFileSync(join(committed, path)).equals(readFileSync(join(generated, path)));
    return same ? [] : [`gen/${path} differs`];
  });
}

function filesOf(folder: string): Set<string> {
  if (!existsSync(folder)) return new Set();
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return new Set(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1)),
  );
}
