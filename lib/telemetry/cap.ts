import type { Metrics } from './metrics.ts';

/** A limit above which work is refused, watched. */
export interface Cap {
  /** Called whenever the limit is asked, with what is used then. */
  saw(used: number): void;
}

/** What one phone does must not be seen in a share: it changes with five of them at the least (decision 34). */
const company = 5;

/**
 * Shows the highest use of a limit in the last minute as `cwa.cap.utilization`. `step`: what moves the share, in the
 * unit of the limit; by default a twentieth of the limit, and not less than five.
 */
export function watchCap(metrics: Metrics, cap: string, limit: number, step?: number): Cap {
  let peak = 0;
  metrics.observe('cwa.cap.utilization', () => {
    const value = usedShare(peak, limit, step);
    peak = 0;
    return [{ attributes: { 'cwa.cap': cap }, value }];
  });
  return {
    saw: (used) => {
      if (used > peak) peak = used;
    },
  };
}

/** Share of a limit in steps, rounded down; 1 from the limit on, where that tells of more than one step. */
export function usedShare(used: number, limit: number, step: number = Math.max(limit / 20, company)): number {
  const stepped = (Math.floor(used / step + 1e-9) * step) / limit;
  return used >= limit && limit >= step ? Math.max(1, stepped) : stepped;
}

export const unwatchedCap: Cap = { saw() {} };
