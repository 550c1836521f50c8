import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const SKIPPED = new Set(['node_modules', '.git', '.cwa', 'coverage']);

/** Every file of the repository with its path from the root, what is installed or left by a run excepted. */
export function repositoryFiles(root: string, folder = ''): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (SKIPPED.has(entry.name)) return [];
    return entry.isDirectory() ? repositoryFiles(root, path) : [path];
  });
}

export const readText = (root: string, path: string): string => readFileSync(join(root, path), 'utf8');

/** The same text with comments blanked; line numbers stay. Strings are left alone unless they look like comments. */
export function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ' '))
    .replace(/(^|[^:'"`\\])\/\/.*$/gm, '$1');
}
