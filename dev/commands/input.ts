import { readFileSync } from 'node:fs';
import { FormatError } from '../../lib/exposure/format-error.ts';

/** Reads a file and hands its bytes to `parse`; every fault names the file and, where it makes sense, the byte. */
export async function readInput<T>(file: string, parse: (bytes: Buffer) => Promise<T>): Promise<T> {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new Error(`${file}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`, { cause: error });
  }
  try {
    return await parse(bytes);
  } catch (error) {
    if (error instanceof FormatError) throw new Error(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}
