import type { BucketRules } from './country-bucket.ts';

/**
 * Rules of publishing. Production takes the bounds that no setting can loosen from `fixedRules`; tests of the pure
 * functions hand in small numbers.
 */
export interface PublishingRules extends BucketRules {
  /** Minutes between the end of a key and its publication. */
  readonly expiryMinutes: number;
  readonly minimumTransmissionRiskLevel: number;
  /** Days that the date index lists, and age in days up to which a key is published. */
  readonly daysToPublish: number;
  readonly minimumKeys: number;
  readonly maximumKeys: number;
  /** Keys of one package from which on somebody should look (D 1.5). */
  readonly manyKeys: number;
  /** Hours after which a waiting key is published with padding. */
  readonly longestWaitHours: number;
  /** Padding goes to the minimum plus 0 to this number minus 1. */
  readonly paddingSpread: number;
}

/** Decisions 24, 25, 27: constants of the code on purpose. */
export const fixedRules = {
  minimumKeys: 140,
  maximumKeys: 600_000,
  manyKeys: 400_000,
  longestWaitHours: 24,
  paddingSpread: 100,
} as const;

/** Days that key packages and pool rows stay (D 2.9). */
export const retentionDays = 14;
/** Hour packages exist for today and yesterday (D 2.7). */
export const hourPackageDays = 2;
/** The aggregate of all countries. */
export const aggregateRegion = 'EUR';
/** Agreed with the makers of the phones' operating systems: octets of a file (D 1.5). */
export const maximumOctets = 16_000_000;
/** Options of transactions that read, assign or delete the keys of a whole day. */
export const manyRows = { statementLimitMs: 300_000 } as const;
