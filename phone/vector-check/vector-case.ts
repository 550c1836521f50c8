/** Outcome of one case of a vector file. */
export interface VectorCase {
  name: string;
  ok: boolean;
  /** What differs, when it failed. */
  detail?: string;
}

export type JsonObject = Record<string, unknown>;

export class VectorFileError extends Error {
  readonly reason: 'UNREADABLE' | 'NOT_JSON' | 'UNKNOWN_FORMAT';
  readonly path: string;

  constructor(reason: VectorFileError['reason'], path: string, what: string, options?: ErrorOptions) {
    super(`${path}: ${what}`, options);
    this.name = 'VectorFileError';
    this.reason = reason;
    this.path = path;
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Runs one check; it returns what differs. An exception fails the case and not the run. */
export function runCase(name: string, check: () => readonly string[]): VectorCase {
  try {
    const differences = check();
    return differences.length === 0 ? { name, ok: true } : { name, ok: false, detail: differences.join('; ') };
  } catch (error) {
    return { name, ok: false, detail: error instanceof Error ? error.message : 'unknown fault' };
  }
}

/** A case that stands for something in the file that no check knows. */
export function notUnderstood(name: string): VectorCase {
  return { name, ok: false, detail: 'is not understood, so nothing was checked' };
}

/** Texts that accompany values and are no values. */
const REMARKS = new Set([
  'note',
  'description',
  'origin',
  'id',
  'name',
  'title',
  'comment',
  '__comment__',
  'verification',
  'source',
]);

export function isRemark(key: string, value: unknown): boolean {
  return REMARKS.has(key) && typeof value === 'string';
}

/** Fields of `object` that are neither remarks nor in `known`. */
export function unknownFields(object: JsonObject, known: readonly string[]): string[] {
  return Object.entries(object)
    .filter(([key, value]) => !known.includes(key) && !isRemark(key, value))
    .map(([key]) => `${key} is not understood`);
}

/**
 * Where `actual` differs from what is expected. Every expected value is compared, fields that the code does
 * not produce included; lists must have the same length.
 */
export function differences(expected: unknown, actual: unknown, path: string): string[] {
  if (Array.isArray(expected)) {
    if (!Array.isArray(actual)) return [`${path}: expected a list`];
    if (expected.length !== actual.length)
      return [`${path}: expected ${expected.length} entries, got ${actual.length}`];
    return expected.flatMap((value, i) => differences(value, actual[i], `${path}[${i}]`));
  }
  if (isObject(expected)) {
    if (!isObject(actual)) return [`${path}: expected an object`];
    return Object.entries(expected)
      .filter(([key, value]) => !isRemark(key, value))
      .flatMap(([key, value]) =>
        key in actual ? differences(value, actual[key], `${path}.${key}`) : [`${path}.${key} is not understood`],
      );
  }
  if (typeof expected === 'number' && typeof actual === 'number') {
    // Whole numbers must be equal; the last digits of a computed fraction may differ.
    const tolerance =
      Number.isInteger(expected) && Number.isInteger(actual) ? 0 : 1e-9 * Math.max(1, Math.abs(expected));
    return Math.abs(expected - actual) <= tolerance ? [] : [`${path}: expected ${expected}, got ${actual}`];
  }
  return expected === actual ? [] : [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`];
}

/** Octets of a hex text; upper case is read too. */
export function fromHex(value: unknown, what: string): Buffer {
  if (typeof value !== 'string' || !/^([0-9a-fA-F]{2})*$/.test(value)) throw new TypeError(`${what} is no hex text`);
  return Buffer.from(value, 'hex');
}

export function asNumber(value: unknown, what: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`${what} is no number`);
  return value;
}

export function asObject(value: unknown, what: string): JsonObject {
  if (!isObject(value)) throw new TypeError(`${what} is no object`);
  return value;
}

export function asList(value: unknown, what: string): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${what} is no list`);
  return value;
}
