import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A query of `operations/`, which may be asked for by the SHA-256 of its text. */
export interface PersistedOperation {
  readonly name: string;
  readonly sha256: string;
  readonly text: string;
}

const operationsFolder = join(import.meta.dirname, 'operations');

/** All queries of the folder, by name of the file. */
export function readOperations(folder: string = operationsFolder): readonly PersistedOperation[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.graphql'))
    .sort()
    .map((file) => {
      const text = readFileSync(join(folder, file), 'utf8');
      return { name: file.slice(0, -'.graphql'.length), sha256: sha256Of(text), text };
    });
}

export const sha256Of = (text: string): string => createHash('sha256').update(text).digest('hex');
