import { createHash } from 'node:crypto';

/**
 * `cwa-hash` of a published object (D 2.8): hex MD5 of the MD5 bytes of the content, where the content of an
 * archive is its `export.bin`. Not a safeguard: it only tells whether an object changed.
 */
export function contentHash(content: Uint8Array): string {
  return createHash('md5').update(createHash('md5').update(content).digest()).digest('hex');
}
