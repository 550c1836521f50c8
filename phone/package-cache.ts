import { DAY_SECONDS, dayName, HOUR_SECONDS, parseDayName } from '../lib/exposure/intervals.ts';

/** A key package that this phone has or had (P D-6). */
export interface CachedPackage {
  path: string;
  /** `YYYY-MM-DD`. */
  date: string;
  /** Absent for a day package. */
  hour?: number;
  etag: string;
  /** Given away once the package is checked. */
  body?: Buffer;
  /** Verified and matched: never fetched again. */
  checked: boolean;
}

const RETENTION_DAYS = 14;

/** What was downloaded so far, and how the last session went: decides what is asked for next (P D-3 to D-6). */
export class PackageCache {
  readonly #packages = new Map<string, CachedPackage>();
  /** After a failed session or a revocation both indexes are asked again (P D-5). */
  mustAskIndexes = true;

  days(): CachedPackage[] {
    return [...this.#packages.values()].filter(({ hour }) => hour === undefined);
  }

  hours(date: string): CachedPackage[] {
    return [...this.#packages.values()].filter((item) => item.hour !== undefined && item.date === date);
  }

  /** Complete but not matched yet, in the order they were asked for. */
  unchecked(): CachedPackage[] {
    return [...this.#packages.values()].filter(({ checked }) => !checked);
  }

  has(path: string): boolean {
    return this.#packages.has(path);
  }

  put(item: CachedPackage): void {
    this.#packages.set(item.path, item);
  }

  remove(path: string): void {
    this.#packages.delete(path);
  }

  markChecked(path: string): void {
    const item = this.#packages.get(path);
    if (item === undefined) return;
    item.checked = true;
    delete item.body;
  }

  /** Drops packages whose ETag is revoked; both spellings may be listed, so they are compared as they came (P D-6). */
  dropRevoked(etags: ReadonlySet<string>): void {
    for (const [path, { etag }] of this.#packages) {
      if (!etags.has(etag)) continue;
      this.#packages.delete(path);
      this.mustAskIndexes = true;
    }
  }

  /** Removes what the index no longer lists (P D-4). */
  keepListed(items: readonly CachedPackage[], listed: ReadonlySet<string>): void {
    for (const { path } of items) if (!listed.has(path)) this.#packages.delete(path);
  }

  /** Removes hours of days that are there as a whole, and everything older than 14 days (P D-4). */
  dropObsolete(nowSeconds: number): void {
    const days = new Set(this.days().map(({ date }) => date));
    const oldest = dayName(Math.floor(nowSeconds / DAY_SECONDS) - RETENTION_DAYS);
    for (const [path, { date, hour }] of this.#packages) {
      if (date < oldest || (hour !== undefined && days.has(date))) this.#packages.delete(path);
    }
  }

  /** Whether the day index must be asked: not when yesterday's package is there (P D-5). */
  needsDayIndex(nowSeconds: number): boolean {
    const yesterday = dayName(Math.floor(nowSeconds / DAY_SECONDS) - 1);
    return this.mustAskIndexes || !this.days().some(({ date }) => date === yesterday);
  }

  /** Whether the hour index must be asked: not when the hour before now, of the same date, is there (P D-5). */
  needsHourIndex(nowSeconds: number): boolean {
    const hour = Math.floor((nowSeconds % DAY_SECONDS) / HOUR_SECONDS) - 1;
    const today = dayName(Math.floor(nowSeconds / DAY_SECONDS));
    return this.mustAskIndexes || !this.hours(today).some((item) => item.hour === hour);
  }

  /** End of the newest package in seconds; a day package counts as of 23:59:59 of its day (P R2-12). */
  newestSeconds(): number | undefined {
    const ends = [...this.#packages.values()].map(({ date, hour }) => {
      const start = (parseDayName(date) ?? 0) * DAY_SECONDS;
      return hour === undefined ? start + DAY_SECONDS - 1 : start + (hour + 1) * HOUR_SECONDS;
    });
    return ends.length === 0 ? undefined : Math.max(...ends);
  }
}
