import { dayName, DAY_SECONDS } from '../../lib/exposure/intervals.ts';
import { type AnalysedFile, type Counts, countsOf, dayOf, distinctKeys, rollingPeriodOf } from './key-table.ts';
import { type Linkability, linkability, type PublicationDay } from './linkability.ts';
import { type PaddingSuspicion, paddingSuspicion } from './padding-suspicion.ts';
import { type Sizes, sizesOf } from './size-bound.ts';

export interface Analysis {
  readonly files: number;
  readonly keyCount: number;
  /** Keys that came in more than one of the files. */
  readonly repeatedKeys: number;
  readonly byLevel: Counts;
  readonly byReportType: Counts;
  /** By the UTC day of the key, as `YYYY-MM-DD`. */
  readonly byDay: Counts;
  readonly byRollingPeriod: Counts;
  readonly sizes: Sizes;
  readonly padding: PaddingSuspicion;
  readonly linkability: Linkability & {
    /** What a simulation says; null when none was given. */
    readonly trueUsers: number | null;
    /** (separated - true) / true; 0 means that the observer knows the number exactly. */
    readonly relativeError: number | null;
  };
}

/** What anybody can learn from published files (issue 4, "Analyser"). */
export function analyse(files: readonly AnalysedFile[], trueUsers?: number): Analysis {
  const published = files.flatMap(({ content }) =>
    content.keys.map((key) => ({ ...key, publishedOn: publicationDay(content) })),
  );
  const keys = distinctKeys(published);
  const padding = paddingSuspicion(keys);
  const days = [...Map.groupBy(keys, ({ publishedOn }) => publishedOn)].map(
    ([day, keys]): PublicationDay => ({ day, keys }),
  );
  const found = linkability(days, padding.multiplier);
  return {
    files: files.length,
    keyCount: keys.length,
    repeatedKeys: published.length - keys.length,
    byLevel: countsOf(keys, (key) => key.transmissionRiskLevel),
    byReportType: countsOf(keys, (key) => key.reportType),
    byDay: named(countsOf(keys, dayOf)),
    byRollingPeriod: countsOf(keys, rollingPeriodOf),
    sizes: sizesOf(files),
    padding,
    linkability: {
      ...found,
      trueUsers: trueUsers ?? null,
      relativeError: trueUsers ? Math.round(((found.separatedUsers - trueUsers) / trueUsers) * 1000) / 1000 : null,
    },
  };
}

/** UTC day of the window; files without times are taken to be of the day after their newest key. */
function publicationDay({ start, keys }: AnalysedFile['content']): number {
  if (start !== undefined) return Math.floor(start / DAY_SECONDS);
  return 1 + keys.reduce((newest, key) => Math.max(newest, dayOf(key) ?? 0), 0);
}

function named(counts: Counts): Counts {
  return Object.fromEntries(
    Object.entries(counts).map(([day, count]) => [day === 'absent' ? day : dayName(Number(day)), count]),
  );
}
