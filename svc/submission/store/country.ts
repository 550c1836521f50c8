import type { Queryable } from '../../../lib/db/pool.ts';

export interface CountrySet {
  readonly origin: string;
  /** Sorted. */
  readonly visited: readonly string[];
}

export interface CountrySetRow extends CountrySet {
  readonly id: number;
}

export async function allCountrySets(db: Queryable): Promise<CountrySetRow[]> {
  const { rows } = await db.query<CountrySetRow>('select id, origin, visited from country_set order by id');
  return rows;
}

export async function insertCountrySet(db: Queryable, set: CountrySet): Promise<void> {
  await db.query('insert into country_set (origin, visited) values ($1, $2) on conflict do nothing', [
    set.origin,
    set.visited,
  ]);
}

export async function rememberSupportedCountries(db: Queryable, codes: readonly string[], day: number): Promise<void> {
  await db.query(
    `insert into supported_country (code, last_supported_day) select code, $2 from unnest($1::text[]) as c (code)
     order by code
     on conflict (code) do update set last_supported_day = greatest(supported_country.last_supported_day, $2)`,
    [codes, day],
  );
}

/** Countries that the configuration named on `day` or later. */
export async function countriesSupportedSince(db: Queryable, day: number): Promise<string[]> {
  const { rows } = await db.query<{ code: string }>(
    'select code from supported_country where last_supported_day >= $1 order by code',
    [day],
  );
  return rows.map((row) => row.code);
}
