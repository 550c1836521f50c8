import { utcDayOfInterval } from '../../lib/exposure/intervals.ts';
import type { Queryable } from '../../lib/db/pool.ts';
import type { DiagnosisKey } from './diagnosis-key.ts';
import { keepKeyDays } from './store/key-day.ts';

/** Days whose keys can be stored, remembered: a day costs one statement in the life of a process. */
export interface KeyDays {
  /** Makes sure that these keys find the partition of their day. Not for use inside a transaction that stores keys. */
  keepFor(keys: Iterable<Pick<DiagnosisKey, 'rollingStartIntervalNumber'>>): Promise<void>;
  /** Retention, on any replica, may have dropped a day that is remembered here. */
  forget(): void;
}

export function rememberedKeyDays(db: Queryable): KeyDays {
  const known = new Set<number>();
  return {
    async keepFor(keys) {
      const unknown = new Set<number>();
      for (const { rollingStartIntervalNumber } of keys) {
        const day = utcDayOfInterval(rollingStartIntervalNumber);
        if (!known.has(day)) unknown.add(day);
      }
      if (unknown.size === 0) return;
      await keepKeyDays(db, [...unknown]);
      for (const day of unknown) known.add(day);
    },
    forget: () => known.clear(),
  };
}
