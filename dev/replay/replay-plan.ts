import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import { type KeyRule, rejectionOf, ruleBrokenBy } from '../../lib/exposure/upload-rules.ts';

/** A phone sends this many keys (decision 10). */
const keysPerPhone = 14;

/** What one simulated phone uploads: positions in the file. */
export type PhoneLoad = readonly number[];

/**
 * Who uploads what: the keys that alone pass every rule for which a whole upload is refused come first, in file order;
 * the rest after them, likewise (decision 10).
 */
export function planUploads(keys: readonly DecodedKey[], nowSeconds: number): PhoneLoad[] {
  const positions = keys.map((_, position) => position);
  const passes = (position: number) => rejectionOf(keys[position] ?? {}, nowSeconds) === undefined;
  return [...inPortions(positions.filter(passes)), ...inPortions(positions.filter((position) => !passes(position)))];
}

function inPortions(positions: readonly number[]): PhoneLoad[] {
  const portions: PhoneLoad[] = [];
  for (let at = 0; at < positions.length; at += keysPerPhone) portions.push(positions.slice(at, at + keysPerPhone));
  return portions;
}

/** Why a key of the file did not come out. */
export type ReplayRule =
  | KeyRule
  | 'REFUSED_WITH_ITS_UPLOAD'
  | 'DUPLICATE_OF_AN_EARLIER_KEY'
  | 'RISK_LEVEL_NOT_PUBLISHED'
  | 'EXPIRED_WHILE_WAITING'
  | 'CAME_OUT_CHANGED'
  | 'UNEXPLAINED';

/** Rules in the words of the table. */
export const ruleText: Readonly<Record<ReplayRule, string>> = {
  KEY_DATA_LENGTH: 'key data is not 16 bytes',
  ROLLING_START_ALIGNMENT: 'rolling start is not at midnight UTC',
  ROLLING_START_IN_FUTURE: 'rolling start lies in the future',
  ROLLING_START_NOT_POSITIVE: 'rolling start is not positive',
  KEY_TOO_OLD: 'key is older than 14 days',
  ROLLING_PERIOD: 'rolling period is not 1 to 144',
  TRANSMISSION_RISK_LEVEL: 'transmission risk level is not 1 to 8',
  DAYS_SINCE_ONSET: 'days since onset are not -15 to 4000',
  LEVEL_OR_ONSET_MISSING: 'neither risk level nor days since onset',
  REFUSED_WITH_ITS_UPLOAD: 'refused with its upload',
  DUPLICATE_OF_AN_EARLIER_KEY: 'same key data as an earlier key',
  RISK_LEVEL_NOT_PUBLISHED: 'transmission risk level 1 or 2 is not published',
  EXPIRED_WHILE_WAITING: 'left the publication window while it waited',
  CAME_OUT_CHANGED: 'came out with other values',
  UNEXPLAINED: 'not published, no rule explains it',
};

/** Outcome of one phone's upload. */
export interface SentLoad {
  readonly positions: PhoneLoad;
  readonly accepted: boolean;
  /** Mesh time of the upload; the rules depend on it. */
  readonly nowSeconds: number;
}

/** The rule under which a key of an upload that was refused, or that was filtered out of an accepted one, counts. */
export function intakeRule(key: DecodedKey, load: SentLoad): ReplayRule | undefined {
  const rule = ruleBrokenBy(key, load.nowSeconds);
  if (rule !== undefined) return rule;
  return load.accepted ? undefined : 'REFUSED_WITH_ITS_UPLOAD';
}
