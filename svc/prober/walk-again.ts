import { errorFields } from '../../lib/telemetry/log.ts';
import type { Deps } from './deps.ts';
import { type SawPackage, walk } from './journey.ts';

/** Journeys at one time; most of them wait for their archive. */
const maxJourneys = 20;

/**
 * Begins a journey every `everyMs` until the process stops, whether or not the one before has come to its end. Resolves
 * when the last one has ended.
 */
export async function walkAgain(d: Deps, everyMs: number, begin: typeof walk = walk): Promise<void> {
  const { clock, log, stopping } = d;
  const { succeeded, saw } = observe(d);
  const journeys = new Set<Promise<void>>();
  while (!stopping.aborted) {
    if (journeys.size >= maxJourneys) log.warn('probe-journeys-wait', { count: journeys.size });
    else {
      const journey: Promise<void> = begin(d, saw)
        .then(
          (passed) => (passed ? succeeded() : undefined),
          (error: unknown) => log.error('probe-journey-failed', errorFields(error)),
        )
        .finally(() => journeys.delete(journey));
      journeys.add(journey);
    }
    // Rejected by the signal alone.
    await clock.sleep(everyMs, stopping).catch(() => {});
  }
  await Promise.all(journeys);
}

/** What is told of all journeys together. */
function observe({ clock, metrics }: Deps): { succeeded(): void; saw: SawPackage } {
  let succeededMs = clock.monotonicMs();
  let newestEnd: number | undefined;
  metrics.observe('cwa.probe.success.age', () => [
    { attributes: {}, value: (clock.monotonicMs() - succeededMs) / 1_000 },
  ]);
  metrics.observe('cwa.probe.package.age', () =>
    newestEnd === undefined ? [] : [{ attributes: {}, value: clock.nowMs() / 1_000 - newestEnd }],
  );
  return {
    succeeded: () => {
      succeededMs = clock.monotonicMs();
    },
    saw: (end) => {
      newestEnd = end;
    },
  };
}
