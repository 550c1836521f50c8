import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import { type AnalysedFile, groupSizes } from './key-table.ts';

export interface Sizes {
  readonly rawBytes: number;
  /** Null when a file was given as a bare `export.bin`. */
  readonly zippedBytes: number | null;
  readonly rawBytesPerKey: number | null;
  readonly zippedBytesPerKey: number | null;
  /** What no lossless format of these files can go below, head and signature not counted. */
  readonly entropyBytesPerKey: number | null;
}

/**
 * Bits that a set of these keys holds. Key bytes are random and cannot be compressed, but their order is free:
 * a set of n keys of 128 bits has 128 n - log2(n!) bits. Everything else costs the entropy of its joint distribution.
 */
export function entropyBits(keys: readonly DecodedKey[]): number {
  const n = keys.length;
  const metadata = groupSizes(keys).reduce((sum, size) => sum + size * Math.log2(n / size), 0);
  return 128 * n - log2Factorial(n) + metadata;
}

/** Bytes a key beside the bound (D 1.5, issue 4: at most 18.6 B zipped). */
export function sizesOf(files: readonly AnalysedFile[]): Sizes {
  const keys = files.reduce((sum, { content }) => sum + content.keys.length, 0);
  const rawBytes = files.reduce((sum, file) => sum + file.rawBytes, 0);
  const zipped = files.map((file) => file.zippedBytes);
  const zippedBytes = zipped.every((bytes) => bytes !== undefined)
    ? zipped.reduce((sum, bytes) => sum + bytes, 0)
    : null;
  const bits = files.reduce((sum, { content }) => sum + entropyBits(content.keys), 0);
  const perKey = (bytes: number | null): number | null =>
    bytes === null || keys === 0 ? null : Math.round((bytes / keys) * 1000) / 1000;
  return {
    rawBytes,
    zippedBytes,
    rawBytesPerKey: perKey(rawBytes),
    zippedBytesPerKey: perKey(zippedBytes),
    entropyBytesPerKey: perKey(bits / 8),
  };
}

/** Stirling's series; the error is far below one bit. */
function log2Factorial(n: number): number {
  if (n < 2) return 0;
  return (n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + 1 / (12 * n)) / Math.LN2;
}
