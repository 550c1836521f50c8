import { createHash, hash } from 'node:crypto';
import { crc32 } from 'node:zlib';

import { S3Error, notImplemented } from './s3-error.ts';

const PREFIX = 'x-amz-checksum-';

const ALGORITHMS: Record<string, (body: Buffer) => string> = {
  crc32: (body) => base64OfUint32(crc32(body)),
  crc32c: (body) => base64OfUint32(crc32c(body)),
  sha1: (body) => createHash('sha1').update(body).digest('base64'),
  sha256: (body) => createHash('sha256').update(body).digest('base64'),
};

/** S3's ETag of an object that was uploaded in one piece: its MD5 in hex, in quotes. */
export function etagOf(body: Buffer): string {
  return `"${hash('md5', body, 'hex')}"`;
}

/**
 * Compares every checksum that the client sent (headers or trailers, lower-case names) with the body and
 * returns what to keep with the object: the client's own, or a CRC32 when it sent none.
 */
export function verifyChecksums(
  body: Buffer,
  sent: Record<string, string | string[] | undefined>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(sent)) {
    if (!name.startsWith(PREFIX) || name === 'x-amz-checksum-type') continue;
    if (name === 'x-amz-checksum-algorithm' || name === 'x-amz-checksum-mode') continue;
    const algorithm = ALGORITHMS[name.slice(PREFIX.length)];
    if (!algorithm) throw notImplemented('this checksum algorithm');
    const computed = algorithm(body);
    if (value !== computed) throw badDigest();
    kept[name] = computed;
  }
  const md5 = sent['content-md5'];
  if (md5 !== undefined && md5 !== hash('md5', body, 'base64')) throw badDigest();
  return Object.keys(kept).length > 0 ? kept : { [`${PREFIX}crc32`]: base64OfUint32(crc32(body)) };
}

function badDigest(): S3Error {
  return new S3Error(400, 'BadDigest', 'The checksum you specified did not match what we received.');
}

function base64OfUint32(value: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes.toString('base64');
}

const CASTAGNOLI = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

/** CRC-32C (Castagnoli), which node:zlib lacks. */
export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (CASTAGNOLI[(c ^ byte) & 0xff] as number) ^ (c >>> 8);
  return ~c >>> 0;
}
