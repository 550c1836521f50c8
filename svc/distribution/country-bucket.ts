/** Where a key is published: 1 = in the own country's packages and in EUR, 2 = in EUR only. */
export type Bucket = 1 | 2;

export interface BucketRules {
  readonly originCountry: string;
  /** Includes the origin country. */
  readonly supportedCountries: readonly string[];
}

/**
 * The bucket of a key by its countries, undefined for "nowhere" (D 2.3). A foreign key that visited the own country
 * lives only in the own bucket, which is part of EUR; every other bucket exists only to fill EUR.
 */
export function bucketOf(
  countries: { origin: string; visitedCountries: readonly string[] },
  rules: BucketRules,
): Bucket | undefined {
  const { origin, visitedCountries } = countries;
  if (visitedCountries.length === 0 || visitedCountries.includes(rules.originCountry)) return 1;
  if (origin === rules.originCountry) return undefined;
  return visitedCountries.some((country) => rules.supportedCountries.includes(country)) ? 2 : undefined;
}
