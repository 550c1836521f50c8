import { INTERVALS_PER_DAY, utcDayOfInterval } from '../../lib/exposure/intervals.ts';
import type { DecodedKey, DecodedKeyExport } from '../../lib/exposure/key-export-reader.ts';

/** One file as it was published. `zippedBytes` is absent for a bare `export.bin`. */
export interface AnalysedFile {
  readonly content: DecodedKeyExport;
  readonly rawBytes: number;
  readonly zippedBytes?: number;
}

/** Counts of keys by one property, in ascending order of the property; `absent` stands last. */
export type Counts = Readonly<Record<string, number>>;

export const rollingPeriodOf = (key: DecodedKey): number => key.rollingPeriod ?? INTERVALS_PER_DAY;

/** UTC day since 1970 on which the key's time begins. */
export function dayOf({ rollingStartIntervalNumber: start }: DecodedKey): number | undefined {
  return start === undefined ? undefined : utcDayOfInterval(start);
}

/** The part of a key that is not random: everything an observer could group by. */
function metadataOf(key: DecodedKey): string {
  const { rollingStartIntervalNumber, transmissionRiskLevel, reportType, daysSinceOnsetOfSymptoms } = key;
  return [
    rollingStartIntervalNumber,
    rollingPeriodOf(key),
    transmissionRiskLevel,
    reportType,
    daysSinceOnsetOfSymptoms,
  ].join('/');
}

/** How many keys share each value of `property`. */
export function countsOf(keys: readonly DecodedKey[], property: (key: DecodedKey) => number | undefined): Counts {
  const counts = new Map<number | undefined, number>();
  for (const key of keys) {
    const value = property(key);
    counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const ordered = [...counts].sort(([a = Number.POSITIVE_INFINITY], [b = Number.POSITIVE_INFINITY]) => a - b);
  return Object.fromEntries(ordered.map(([value, count]) => [value === undefined ? 'absent' : String(value), count]));
}

/** Sizes of the groups of keys with equal metadata. */
export function groupSizes(keys: readonly DecodedKey[]): number[] {
  const groups = new Map<string, number>();
  for (const key of keys) groups.set(metadataOf(key), (groups.get(metadataOf(key)) ?? 0) + 1);
  return [...groups.values()];
}

/** Each key once, although hour and day package hold it both; keys without data are kept. */
export function distinctKeys<K extends DecodedKey>(keys: readonly K[]): K[] {
  const seen = new Set<string>();
  return keys.filter(({ keyData }) => {
    if (keyData === undefined) return true;
    const name = keyData.toString('latin1');
    if (seen.has(name)) return false;
    seen.add(name);
    return true;
  });
}
