import type { Queryable } from '../../lib/db/pool.ts';
import { allCountrySets, type CountrySet, insertCountrySet } from './store/country.ts';

/** Ids of country sets, remembered: a key row holds a number instead of a list of countries. */
export interface CountrySets {
  /** The ids in the order of `sets`; unknown sets are stored first. */
  idsOf(sets: readonly CountrySet[]): Promise<number[]>;
}

/**
 * Rows are written outside the transaction of an upload, so an id that is remembered always exists, and they are never
 * deleted.
 */
export function rememberedCountrySets(db: Queryable): CountrySets {
  const known = new Map<string, number>();

  const learn = async (): Promise<void> => {
    for (const { id, ...set } of await allCountrySets(db)) known.set(nameOf(set), id);
  };

  return {
    async idsOf(sets) {
      if (sets.some((set) => !known.has(nameOf(set)))) await learn();
      const missing = new Map(sets.filter((set) => !known.has(nameOf(set))).map((set) => [nameOf(set), set]));
      for (const set of missing.values()) await insertCountrySet(db, set);
      if (missing.size > 0) await learn();
      return sets.map((set) => known.get(nameOf(set)) as number);
    },
  };
}

function nameOf({ origin, visited }: CountrySet): string {
  return `${origin}|${visited.join()}`;
}
