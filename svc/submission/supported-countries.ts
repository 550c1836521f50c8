import { utcDay } from '../../lib/exposure/intervals.ts';
import type { Queryable } from '../../lib/db/pool.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { countriesSupportedSince, rememberSupportedCountries } from './store/country.ts';

/** Which countries a phone may say it visited. */
export interface SupportedCountries {
  accepted(): ReadonlySet<string>;
  /** Notes what the configuration names today and drops what left it long ago; does nothing until the next day. */
  refresh(): Promise<void>;
}

/**
 * A country that left the configuration stays accepted for `graceDays` days, because phones send the list that they
 * downloaded earlier (decision 18).
 */
export function supportedCountries(
  db: Queryable,
  clock: Clock,
  configured: readonly string[],
  graceDays = 14,
): SupportedCountries {
  let accepted: ReadonlySet<string> = new Set(configured);
  let doneForDay = Number.NEGATIVE_INFINITY;
  return {
    accepted: () => accepted,
    async refresh() {
      const today = utcDay(clock.nowMs() / 1000);
      if (today === doneForDay) return;
      await rememberSupportedCountries(db, configured, today);
      accepted = new Set([...configured, ...(await countriesSupportedSince(db, today - graceDays))]);
      doneForDay = today;
    },
  };
}
