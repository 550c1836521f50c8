import { HASHED_ID_PATTERN, hashText } from '../../lib/exposure/token-format.ts';
import { TestFamily } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Family } from './result-code.ts';

/** An id that cannot be wrong: 64 lower-case hex characters, the first may be x (S 2.8 [D], 3.2). */
export function parseId(text: string): string | undefined {
  return HASHED_ID_PATTERN.test(text) ? text.toLowerCase() : undefined;
}

/**
 * The id under which a result is stored. Phones register rapid tests under the hash of the hex text that partners
 * deliver, so those are hashed once more; PCR ids meet as they are (S 2.8, 3.4).
 */
export function storedId(family: Family, id: string): string {
  return family === TestFamily.TEST_FAMILY_PCR ? id : hashText(id);
}
