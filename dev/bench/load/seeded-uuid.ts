import { createHash } from 'node:crypto';

/**
 * The `n`-th version 4 UUID of a seed. PostgreSQL makes the same ones by `seededUuidSql`, so that a table of a hundred
 * thousand TANs is filled by one statement and nothing has to be carried to the load generator.
 */
export function seededUuid(seed: string, n: number): string {
  const hex = createHash('md5').update(`${seed}${n}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** SQL expression of type text; `seed` and `n` are expressions of types text and integer. */
export const seededUuidSql = (seed: string, n: string): string =>
  `overlay(overlay(md5(${seed} || ${n}) placing '4' from 13) placing 'a' from 17)::uuid::text`;
