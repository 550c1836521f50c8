import type { Analysis } from '../analysis/analyse.ts';
import type { Counts } from '../analysis/key-table.ts';

const reportTypes: Readonly<Record<string, string>> = {
  0: 'unknown',
  1: 'confirmed test',
  2: 'clinical diagnosis',
  3: 'self report',
  4: 'recursive',
  5: 'revoked',
};

/** The analysis for people: tables with bars, then one line a finding. */
export function analysisText(analysis: Analysis): string {
  const { sizes, padding, linkability: links } = analysis;
  const repeated = analysis.repeatedKeys > 0 ? `, ${analysis.repeatedKeys} of them in more than one file` : '';
  return [
    `${analysis.keyCount} keys in ${analysis.files} ${analysis.files === 1 ? 'file' : 'files'}${repeated}`,
    ...table('risk level', analysis.byLevel),
    ...table(
      'report type',
      renamed(analysis.byReportType, (type) => `${type} ${reportTypes[type] ?? ''}`.trim()),
    ),
    ...table('day', analysis.byDay),
    ...table('rolling period', analysis.byRollingPeriod),
    '',
    `bytes a key   ${shown(sizes.zippedBytesPerKey)} zipped, ${shown(sizes.rawBytesPerKey)} raw; bound by entropy ${shown(sizes.entropyBytesPerKey)}`,
    padding.multiplier > 1
      ? `padding       every key seems to be there ${padding.multiplier} times: ${padding.groupsThatFit} of ${padding.groups} groups of equal metadata fit (by chance: ${padding.chance.toExponential(1)})`
      : `padding       no multiplier in ${padding.groups} groups of equal metadata`,
    ...(padding.mayBeFilledUp ? ['              few enough keys that it may have been filled up to the minimum'] : []),
    `linkability   ${links.separatedUsers} users can be separated by chains of levels (${links.keysPerSeparatedUser ?? '-'} keys each)`,
    `              ${truth(links)}`,
    `              ${links.unambiguousUsers} of them beyond doubt, with ${links.keysOfUnambiguousUsers} keys`,
    `              simpler methods: ${links.usersByBusiestDay} by the busiest day, ${links.usersByLevelSix} by keys of level 6`,
    ...(links.keysNotUsed > 0
      ? [`              ${links.keysNotUsed} keys not used: no level, no start, or not from midnight`]
      : []),
    '',
  ].join('\n');
}

function truth({ trueUsers, relativeError }: Analysis['linkability']): string {
  if (trueUsers === null || relativeError === null) return 'true number not known; give it with --truth';
  const sign = relativeError > 0 ? '+' : '';
  return `${trueUsers} in truth: off by ${sign}${(relativeError * 100).toFixed(1)} %`;
}

function table(title: string, counts: Counts): string[] {
  const most = Math.max(1, ...Object.values(counts));
  const rows = Object.entries(counts).map(([name, count]) => {
    const bar = '#'.repeat(Math.ceil((count / most) * 40));
    return `  ${name.padEnd(22)} ${String(count).padStart(9)}  ${bar}`;
  });
  return rows.length === 0 ? [] : ['', title, ...rows];
}

function renamed(counts: Counts, name: (from: string) => string): Counts {
  return Object.fromEntries(Object.entries(counts).map(([from, count]) => [name(from), count]));
}

const shown = (bytes: number | null): string => (bytes === null ? '-' : `${bytes.toFixed(2)} B`);
