import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { Secret } from './secret.ts';

/** A start-up fault that the operator can mend: the message names the setting and what is wrong with its value. */
export class ConfigError extends Error {
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigError';
    this.faults = faults;
  }
}

export type Env = Readonly<Record<string, string | undefined>>;

/**
 * Reads settings from the environment into one frozen object and reports every fault at once. The schema's keys are
 * the names of the variables; unset and empty variables count as absent.
 */
export function readEnv<S extends z.ZodObject>(schema: S, env: Env): Readonly<z.infer<S>> {
  const present: Record<string, string> = {};
  for (const name of Object.keys(schema.shape)) {
    const value = env[name];
    if (value !== undefined && value !== '') present[name] = value;
  }
  const result = schema.safeParse(present);
  if (result.success) return Object.freeze(result.data);
  throw new ConfigError(result.error.issues.map((issue) => describe(issue.path, present, issue.message)));
}

/** Reads several parts of a configuration and reports the faults of all of them at once. */
export function readParts<T extends object>(parts: { readonly [K in keyof T]: () => T[K] }): Readonly<T> {
  const faults: string[] = [];
  const values: Partial<T> = {};
  for (const name of Object.keys(parts) as (keyof T)[]) {
    try {
      values[name] = parts[name]();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return Object.freeze(values as T);
}

function describe(path: PropertyKey[], present: Record<string, string>, message: string): string {
  const name = String(path[0]);
  // The value is not repeated: it may be a secret that was put into the wrong variable.
  return present[name] === undefined ? `${name} is not set: it is required` : `${name}: ${message}`;
}

/** An integer within bounds, for example `integer({ default: 30, min: 7, max: 100 })`. */
export function integer(bounds: { min: number; max: number; default: number }) {
  const text = `must be a whole number from ${bounds.min} to ${bounds.max}`;
  return z
    .string()
    .regex(/^-?\d+$/, text)
    .transform(Number)
    .refine((n) => n >= bounds.min && n <= bounds.max, text)
    .default(bounds.default);
}

export const port = (fallback: number) => integer({ min: 0, max: 65_535, default: fallback });

/** `true` or `false`, nothing else. */
export function flag(fallback: boolean) {
  return z
    .enum(['true', 'false'], 'must be true or false')
    .transform((text) => text === 'true')
    .default(fallback);
}

/** A comma-separated list; blanks around the entries are dropped. */
function list(fallback?: readonly string[]) {
  const parsed = z.string().transform((text) =>
    text
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  );
  return fallback === undefined ? parsed : parsed.default([...fallback]);
}

/** ISO 3166-1 alpha-2 codes, comma-separated. */
export function countries(fallback: readonly string[]) {
  return list(fallback).refine(
    (codes) => codes.length > 0 && codes.every((code) => /^[A-Z]{2}$/.test(code)),
    'must be a comma-separated list of two-letter country codes',
  );
}

/** The path of a file that must be readable now; the value is its content. */
export function fileContent() {
  return z.string().transform((path, context) => readInto(path, context) ?? z.NEVER);
}

/** The path of a file whose content, without the final line break, is a secret of `min` characters or more. */
export function secretFile({ min = 0 }: { min?: number } = {}) {
  return z.string().transform((path, context) => {
    const secret = readInto(path, context)?.replace(/\r?\n$/, '');
    if (secret === undefined) return z.NEVER;
    if (secret.length >= min) return new Secret(secret);
    context.addIssue({ code: 'custom', message: `the file it names must hold ${min} characters or more` });
    return z.NEVER;
  });
}

/** A secret given directly; prefer `secretFile`. */
export const secretText = () => z.string().transform((text) => new Secret(text));

function readInto(path: string, context: z.RefinementCtx): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    context.addIssue({ code: 'custom', message: `the file it names cannot be read (${code})` });
    return undefined;
  }
}
