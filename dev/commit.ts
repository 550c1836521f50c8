import { execFileSync } from 'node:child_process';
import type { Env } from '../lib/process/config.ts';
import { repositoryRoot } from './mesh/child.ts';

/** `CWA_COMMIT`, or the commit that is checked out; nothing where the sources are no clone. */
export function commitOf(env: Env): { CWA_COMMIT?: string } {
  if (env['CWA_COMMIT']) return { CWA_COMMIT: env['CWA_COMMIT'] };
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], {
      cwd: repositoryRoot,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return { CWA_COMMIT: commit.trim() };
  } catch {
    return {};
  }
}
