/** Seconds of one interval of the protocol (P C-1). */
export const INTERVAL_SECONDS = 600;
/** Intervals of one UTC day; also the longest rolling period. */
export const INTERVALS_PER_DAY = 144;
export const HOUR_SECONDS = 3600;
export const DAY_SECONDS = 86_400;

/** Interval number (10-minute steps since 1970 UTC) of a time in seconds (P C-1). */
export function intervalNumber(epochSeconds: number): number {
  return Math.floor(epochSeconds / INTERVAL_SECONDS);
}

/** First interval of the UTC day that holds interval `interval` (P C-2). */
export function dayStartInterval(interval: number): number {
  return Math.floor(interval / INTERVALS_PER_DAY) * INTERVALS_PER_DAY;
}

/** UTC day number (days since 1970-01-01) of a time in seconds. */
export function utcDay(epochSeconds: number): number {
  return Math.floor(epochSeconds / DAY_SECONDS);
}

/** UTC day number of an interval. */
export function utcDayOfInterval(interval: number): number {
  return Math.floor(interval / INTERVALS_PER_DAY);
}

/** Hours since 1970 UTC of a time in seconds; the grain of a submission timestamp (S 1.6). */
export function hoursSinceEpoch(epochSeconds: number): number {
  return Math.floor(epochSeconds / HOUR_SECONDS);
}

/** First second after the last interval of a key: the end is exclusive (P C-3). */
export function keyEndSeconds(rollingStartIntervalNumber: number, rollingPeriod: number): number {
  return (rollingStartIntervalNumber + rollingPeriod) * INTERVAL_SECONDS;
}

/** `YYYY-MM-DD` of a UTC day number, as in paths and indexes (D 2.7). */
export function dayName(day: number): string {
  return new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10);
}

/** UTC day number of a `YYYY-MM-DD` name; undefined for anything that is not exactly such a day. */
export function parseDayName(name: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(name)) return undefined;
  const ms = Date.parse(`${name}T00:00:00Z`);
  if (Number.isNaN(ms)) return undefined;
  const day = ms / 1000 / DAY_SECONDS;
  return dayName(day) === name ? day : undefined;
}

/** UTC day number of an hour since 1970. */
export function utcDayOfHour(hour: number): number {
  return Math.floor(hour / 24);
}

/** Hour of the day, 0 to 23, of an hour since 1970. */
export function hourOfDay(hour: number): number {
  return ((hour % 24) + 24) % 24;
}

/** Path name of an hour since 1970: `<YYYY-MM-DD>/hour/<0..23>`, the hour without leading zero (D 2.7). */
export function hourPath(hour: number): string {
  return `${dayName(utcDayOfHour(hour))}/hour/${hourOfDay(hour)}`;
}
