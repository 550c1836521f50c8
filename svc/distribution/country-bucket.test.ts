import { expect, test } from 'vitest';
import { bucketOf } from './country-bucket.ts';

const rules = { originCountry: 'DE', supportedCountries: ['DE', 'FR', 'IT'] };

test.each([
  ['origin DE + visited FR: only DE', 'DE', ['DE', 'FR'], 1],
  ['origin FR + visited FR, DE: only DE', 'FR', ['FR', 'DE'], 1],
  ['origin FR + visited IT, FR: EUR, not DE', 'FR', ['IT', 'FR'], 2],
  ['visited only unsupported: nowhere', 'PL', ['PL', 'SE'], undefined],
  ['own key that did not visit its own country: nowhere', 'DE', ['FR'], undefined],
  ['no visited country stored: the own bucket', 'DE', [], 1],
] as const)('D row 20: bucket rules, %s', (_, origin, visitedCountries, bucket) => {
  expect(bucketOf({ origin, visitedCountries }, rules)).toBe(bucket);
});
