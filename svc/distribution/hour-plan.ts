import { hourOfDay } from '../../lib/exposure/intervals.ts';
import type { PublishingRules } from './rules.ts';

/** Keys of one bucket that may go into an hour. */
export interface WaitingKeys {
  readonly count: number;
  /** Smallest release hour among them. */
  readonly oldestRelease: number;
  /** Whether some of them may not be published tomorrow. */
  readonly lastDay: boolean;
}

export interface HourPlan {
  /** Buckets whose waiting keys are taken. */
  readonly takeOwn: boolean;
  readonly takeForeign: boolean;
  readonly ownPadding: number;
  readonly foreignPadding: number;
}

type SizeRules = Pick<PublishingRules, 'minimumKeys' | 'longestWaitHours' | 'paddingSpread'>;

/**
 * What an open hour takes from the pool (decision 25): everything or nothing of each bucket, so that the packages of
 * the own country (own) and of EUR (own + foreign) hold none or at least the minimum. When a key has waited too long,
 * or would lose its last day of publication at the end of this hour, padding fills the pool. Keys that exceed the
 * maximum are the caller's matter.
 * @param draw a number from 0 to exclusive max - 1
 */
export function planHour(
  hour: number,
  own: WaitingKeys,
  foreign: WaitingKeys,
  rules: SizeRules,
  draw: (exclusiveMax: number) => number,
): HourPlan {
  const nothing = { takeOwn: false, takeForeign: false, ownPadding: 0, foreignPadding: 0 };
  if (own.count >= rules.minimumKeys) return { ...nothing, takeOwn: true, takeForeign: true };
  const overdue = [own, foreign].some((waiting) => isOverdue(hour, waiting, rules));
  const fill = (count: number): number => rules.minimumKeys + draw(rules.paddingSpread) - count;
  // Padding the own keys carries the foreign ones along.
  if (overdue && own.count > 0) return { ...nothing, takeOwn: true, takeForeign: true, ownPadding: fill(own.count) };
  if (foreign.count >= rules.minimumKeys) return { ...nothing, takeForeign: true };
  if (overdue) return { ...nothing, takeForeign: true, foreignPadding: fill(foreign.count) };
  return nothing;
}

function isOverdue(hour: number, waiting: WaitingKeys, rules: SizeRules): boolean {
  if (waiting.count === 0) return false;
  if (waiting.oldestRelease + rules.longestWaitHours <= hour) return true;
  return waiting.lastDay && hourOfDay(hour) === 23;
}
