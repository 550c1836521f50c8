import { repeat } from '../../lib/process/repeat.ts';
import { type PollDeps, pollAll } from './poll.ts';

export interface FeedOptions extends PollDeps {
  readonly everyMs: number;
  readonly save: () => void;
  readonly signal: AbortSignal;
}

/** What is lost at most when the process is killed. */
const saveMs = 5 * 60_000;

/** Polls all processes now and again until the signal; keeps the history now and then. */
export function startFeed(options: FeedOptions): Promise<void> {
  const { everyMs, clock, log, metrics, history, save, signal } = options;
  let savedMs = clock.monotonicMs();
  let refused = 0;
  return repeat({ job: 'poll-metrics', everyMs, clock, log, metrics, signal }, async () => {
    await pollAll(options);
    if (history.refused > refused) log.warn('history-full', { count: history.refused });
    refused = history.refused;
    if (clock.monotonicMs() - savedMs < saveMs) return;
    save();
    savedMs = clock.monotonicMs();
  });
}
