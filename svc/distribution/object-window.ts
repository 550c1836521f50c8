import { dayName, hourOfDay, utcDayOfHour } from '../../lib/exposure/intervals.ts';
import type { PublishedObject } from './store/inventory.ts';

type Dated = Pick<PublishedObject, 'day' | 'hour'>;

/** Date and hour of the day that an object belongs to, as far as it does; for logs and spans. */
export function dateOf({ day, hour }: Dated): { readonly date?: string; readonly hour?: number } {
  if (hour !== undefined) return { date: dayName(day ?? utcDayOfHour(hour)), hour: hourOfDay(hour) };
  return day === undefined ? {} : { date: dayName(day) };
}

/** End of the hour or day of a key package, in seconds since 1970 UTC. */
export function windowEndSeconds({ kind, day = 0, hour = 0 }: Dated & Pick<PublishedObject, 'kind'>): number {
  return (kind === 'hour' ? hour + 1 : (day + 1) * 24) * 3_600;
}
