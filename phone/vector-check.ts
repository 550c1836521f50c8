import { readFileSync } from 'node:fs';
import { checkDerivationFile, isDerivationFile } from './vector-check/derivation-file.ts';
import { parseJson } from './vector-check/json-text.ts';
import { checkRiskV1File, isRiskV1File } from './vector-check/risk-v1-file.ts';
import { checkRiskV2File, isRiskV2File } from './vector-check/risk-v2-file.ts';
import { isObject, type VectorCase, VectorFileError } from './vector-check/vector-case.ts';

/**
 * Runs every case of a vector file through the phone's own code (decision 6). A list or value that is not
 * understood becomes a case that fails; nothing is skipped.
 * @param options.config configuration to use instead of the one that a v1 file names
 * @throws VectorFileError when the file cannot be read, is no JSON or has an unknown format
 */
export function checkVectorFile(path: string, options: { config?: string } = {}): { cases: VectorCase[] } {
  const file = parseJson(path, readBytes(path));
  if (!isObject(file)) throw new VectorFileError('UNKNOWN_FORMAT', path, 'holds no JSON object');
  if (isRiskV2File(file)) return { cases: checkRiskV2File(file) };
  if (isRiskV1File(file)) return { cases: checkRiskV1File(file, path, options.config) };
  if (isDerivationFile(file)) return { cases: checkDerivationFile(file) };
  throw new VectorFileError('UNKNOWN_FORMAT', path, 'has none of the known formats of vector files');
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    throw new VectorFileError('UNREADABLE', path, `cannot be read (${code})`, { cause: error });
  }
}
