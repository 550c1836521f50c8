import { join, resolve } from 'node:path';
import type { Env } from '../lib/process/config.ts';
import { repositoryRoot } from './mesh/child.ts';

/** Where a local run keeps its state: `.cwa` in the repository, or the folder that `CWA_HOME` names. */
export const homeOf = (env: Env): string => resolve(env['CWA_HOME'] || join(repositoryRoot, '.cwa'));
