import { createCipheriv, createHash, randomBytes, randomInt, randomUUID } from 'node:crypto';

/** The only source of randomness. Production uses the platform's CSPRNG; simulations may be seeded. */
export interface Random {
  bytes(length: number): Buffer;
  /** Uniform integer from 0 to `exclusiveMax` - 1. */
  int(exclusiveMax: number): number;
  /** Version 4, lower case. */
  uuid(): string;
  /** A shuffled copy. */
  shuffle<T>(items: readonly T[]): T[];
}

export const secureRandom: Random = {
  bytes: (length) => randomBytes(length),
  int: (exclusiveMax) => randomInt(exclusiveMax),
  uuid: () => randomUUID(),
  shuffle: (items) => shuffled(items, (max) => randomInt(max)),
};

/** Repeatable randomness for simulations and tests: AES-128-CTR over a hash of the seed. Never for real keys. */
export function seededRandom(seed: string): Random {
  const key = createHash('sha256').update(seed).digest().subarray(0, 16);
  const stream = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const bytes = (length: number): Buffer => stream.update(Buffer.alloc(length));
  const int = (exclusiveMax: number): number => Math.floor((bytes(6).readUIntBE(0, 6) / 2 ** 48) * exclusiveMax);
  return { bytes, int, uuid: () => uuidFrom(bytes(16)), shuffle: (items) => shuffled(items, int) };
}

function shuffled<T>(items: readonly T[], int: (exclusiveMax: number) => number): T[] {
  const copy = [...items];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = int(i + 1);
    [copy[i], copy[j]] = [copy[j] as T, copy[i] as T];
  }
  return copy;
}

function uuidFrom(bytes: Buffer): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
