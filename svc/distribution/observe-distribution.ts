import { utcDay } from '../../lib/exposure/intervals.ts';
import type { Reading } from '../../lib/telemetry/metrics.ts';
import type { Deps } from './deps.ts';
import { nextRunDueMs } from './next-run.ts';
import { windowEndSeconds } from './object-window.ts';
import { type Overview, readOverview } from './store/overview.ts';

type Observed = Pick<Deps, 'metrics' | 'pool' | 'clock' | 'rules' | 'maximumFailures'>;

/** Rules that leave keys out; each has a row before its first key, so that the first step is seen as growth. */
const exclusionRules = ['transmission-risk-level', 'countries', 'duplicate', 'expired', 'invalid'] as const;

/**
 * Metrics that the database keeps, so that they survive restarts; read once for all of them at the end of a minute.
 * `intervalSeconds`: between own runs, 0 when a scheduler asks.
 */
export function observeDistribution(d: Observed, intervalSeconds: number): void {
  const { metrics, clock } = d;
  const now = shared(() => readOverview(d.pool, utcDay(clock.nowMs() / 1_000)));
  metrics.observe('cwa.distribution.run.age', async () => {
    const { lastGoodEnd } = await now();
    return lastGoodEnd === undefined ? [] : [plain((clock.nowMs() - lastGoodEnd.getTime()) / 1_000)];
  });
  metrics.observe('cwa.distribution.next_run', async () => {
    const due = nextRunDueMs(timesOf(await now()), intervalSeconds, clock.nowMs());
    return [plain((due - clock.nowMs()) / 1_000)];
  });
  metrics.observe('cwa.distribution.keys.published', async () => {
    const { totals } = await now();
    const row = (kind: 'diagnosis' | 'padding', value: number) => ({ attributes: { 'cwa.key.kind': kind }, value });
    return [row('diagnosis', totals.real), row('padding', totals.padding)];
  });
  metrics.observe('cwa.distribution.keys.excluded', async () => {
    const { excluded } = await now();
    const counts = new Map(excluded.map(({ rule, key_count }) => [rule, key_count]));
    return exclusionRules.map((rule) => ({ attributes: { 'cwa.rule': rule }, value: counts.get(rule) ?? 0 }));
  });
  metrics.observe('cwa.distribution.keys.waiting', async () => [plain((await now()).waiting)]);
  metrics.observe('cwa.distribution.package.size', async () =>
    (await now()).newestPackages.map(({ region, kind, size }) => ({
      attributes: { 'cwa.region': region, 'cwa.window': kind },
      value: size,
    })),
  );
  metrics.observe('cwa.distribution.package.age', async () => packageAges(await now(), clock.nowMs() / 1_000));
  metrics.observe('cwa.cap.utilization', async () => capsOf(await now(), d));
}

/** The region that is furthest behind speaks for all: phones of each count on theirs. */
function packageAges({ newestPackages }: Overview, nowSeconds: number): Reading<'cwa.distribution.package.age'>[] {
  return (['hour', 'day'] as const).flatMap((window) => {
    const ends = newestPackages
      .filter(({ kind }) => kind === window)
      .map(({ kind, day, hour }) => windowEndSeconds({ kind, day, ...(hour === null ? {} : { hour }) }));
    if (ends.length === 0) return [];
    return [{ attributes: { 'cwa.window': window }, value: nowSeconds - Math.min(...ends) }];
  });
}

/** What waits goes into the package of the open hour (decision 25); more than the limit goes on to the next. */
function capsOf(
  { waiting, keysToday, lastRun }: Overview,
  { rules, maximumFailures }: Observed,
): Reading<'cwa.cap.utilization'>[] {
  return [
    { attributes: { 'cwa.cap': 'hour-package-keys' }, value: waiting / rules.maximumKeys },
    { attributes: { 'cwa.cap': 'day-package-keys' }, value: keysToday / rules.maximumKeys },
    { attributes: { 'cwa.cap': 'failed-store-requests' }, value: (lastRun?.failures ?? 0) / maximumFailures },
  ];
}

function timesOf({ lastRun }: Overview) {
  if (lastRun === undefined) return undefined;
  const startedMs = lastRun.started_at.getTime();
  return { startedMs, endedMs: startedMs + lastRun.duration_seconds * 1_000 };
}

const plain = (value: number) => ({ attributes: {}, value });

/** Everybody who asks while a read is under way gets its answer. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | undefined;
  return () =>
    (reading ??= read().finally(() => {
      reading = undefined;
    }));
}
