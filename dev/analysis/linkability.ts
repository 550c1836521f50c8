import { INTERVALS_PER_DAY } from '../../lib/exposure/intervals.ts';
import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import { dayOf } from './key-table.ts';
import { mostPairs } from './largest-flow.ts';
import { mayFollow } from './level-profiles.ts';

/** Keys published on one UTC day, in whatever packages. */
export interface PublicationDay {
  readonly day: number;
  readonly keys: readonly DecodedKey[];
}

export interface Linkability {
  /** Users that the chain method separates: the fewest people whose uploads explain every key. */
  readonly separatedUsers: number;
  readonly keysPerSeparatedUser: number | null;
  /** Chains of two and more keys of which every link is the only one possible: these keys are known to belong together. */
  readonly unambiguousUsers: number;
  readonly keysOfUnambiguousUsers: number;
  /** The two simpler public methods: most keys of one day; keys of level 6 (apps before 1.5). */
  readonly usersByBusiestDay: number;
  readonly usersByLevelSix: number;
  /** Keys left out: without level or start, or not from midnight (the second part of a split day). */
  readonly keysNotUsed: number;
}

const LEVELS = 8;
/** Keys come out on the day of their upload, or the day after: the embargo, and waiting for company (decisions 23, 25). */
const UPLOAD_DELAYS = [0, 1];

/** Keys by day (newest first, every day between) and level 1..8. */
type Table = readonly { readonly day: number; readonly levels: readonly number[] }[];

/**
 * How many users an observer of the published files can tell apart by the public method (D 2.7, issue #620 there). A
 * user has one key a day, and the levels of consecutive days follow one of the tables printed in the apps' source. So
 * keys of consecutive days are chained wherever a table allows the step at that age; the fewest chains that hold every
 * key are the users separated. Keys of one day and level are alike, hence that number is exact: it is the number of
 * keys less the most links, and links between one pair of days do not hinder those between another pair.
 * A recognised padding multiplier is divided out first, as the public tools do.
 */
export function linkability(days: readonly PublicationDay[], multiplier: number): Linkability {
  const parts = days.map(({ day, keys }) => ofOneDay(day, keys, multiplier));
  const total = (value: (part: Part) => number): number => parts.reduce((sum, part) => sum + value(part), 0);
  const separatedUsers = total((part) => part.chains);
  const keys = total((part) => part.keys);
  return {
    separatedUsers,
    keysPerSeparatedUser: separatedUsers === 0 ? null : Math.round((keys / separatedUsers) * 100) / 100,
    unambiguousUsers: total((part) => part.unambiguous.chains),
    keysOfUnambiguousUsers: total((part) => part.unambiguous.keys),
    usersByBusiestDay: total((part) => part.busiestDay),
    usersByLevelSix: total((part) => part.levelSix),
    keysNotUsed: total((part) => part.notUsed),
  };
}

type Part = ReturnType<typeof ofOneDay>;

function ofOneDay(publicationDay: number, keys: readonly DecodedKey[], multiplier: number) {
  const usable = keys.filter(isUsable);
  const table = tableOf(usable, multiplier);
  const links = linksOf(table, publicationDay);
  const sums = table.map(({ levels }) => levels.reduce((sum, count) => sum + count, 0));
  const all = sums.reduce((sum, count) => sum + count, 0);
  return {
    keys: all,
    chains: all - links.reduce((sum, { most }) => sum + most, 0),
    unambiguous: unambiguousChains(links),
    busiestDay: Math.max(0, ...sums),
    levelSix: table.reduce((sum, { levels }) => sum + (levels[5] ?? 0), 0),
    notUsed: keys.length - usable.length,
  };
}

function isUsable(key: DecodedKey): boolean {
  const { transmissionRiskLevel: level = 0, rollingStartIntervalNumber: start = -1 } = key;
  return level >= 1 && level <= LEVELS && start >= 0 && start % INTERVALS_PER_DAY === 0;
}

function tableOf(keys: readonly DecodedKey[], multiplier: number): Table {
  const counts = new Map<number, number[]>();
  for (const key of keys) {
    const day = dayOf(key) ?? 0;
    const levels = counts.get(day) ?? new Array<number>(LEVELS).fill(0);
    const at = (key.transmissionRiskLevel ?? 1) - 1;
    levels[at] = (levels[at] ?? 0) + 1;
    counts.set(day, levels);
  }
  if (counts.size === 0) return [];
  const newest = Math.max(...counts.keys());
  return Array.from({ length: newest - Math.min(...counts.keys()) + 1 }, (_, i) => ({
    day: newest - i,
    levels: (counts.get(newest - i) ?? new Array<number>(LEVELS).fill(0)).map((n) => Math.ceil(n / multiplier)),
  }));
}

/** The step from each day to the day before. */
interface Links {
  readonly most: number;
  /** By level - 1 of the newer key: level - 1 of the only older key that can follow, where both are single. */
  readonly single: ReadonlyMap<number, number>;
}

function linksOf(table: Table, publicationDay: number): Links[] {
  return table.slice(0, -1).map(({ day, levels: newer }, i) => {
    const older = table[i + 1]?.levels ?? [];
    const ages = UPLOAD_DELAYS.map((delay) => publicationDay - delay - day).filter((age) => age >= 0);
    const fits = (from: number, to: number): boolean => ages.some((age) => mayFollow(age, from + 1, to + 1));
    return { most: mostPairs(newer, older, fits), single: singleLinks(newer, older, fits) };
  });
}

function singleLinks(
  newer: readonly number[],
  older: readonly number[],
  fits: (from: number, to: number) => boolean,
): Map<number, number> {
  const links = new Map<number, number>();
  for (const from of newer.keys()) {
    const next = [...older.keys()].filter((to) => older[to] !== 0 && fits(from, to));
    const [to] = next;
    if (newer[from] !== 1 || to === undefined || next.length > 1 || older[to] !== 1) continue;
    const rivals = [...newer.keys()].filter((other) => newer[other] !== 0 && fits(other, to));
    if (rivals.length === 1) links.set(from, to);
  }
  return links;
}

function unambiguousChains(links: readonly Links[]): { chains: number; keys: number } {
  let chains = 0;
  let keys = 0;
  for (const [i, { single }] of links.entries()) {
    const reached = new Set(links[i - 1]?.single.values());
    for (const from of single.keys()) {
      if (!reached.has(from)) chains++;
      keys += reached.has(from) ? 1 : 2;
    }
  }
  return { chains, keys };
}
