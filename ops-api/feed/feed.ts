import { type PollDeps, pollAll } from './poll.ts';

export interface FeedDeps extends PollDeps {
  readonly save: () => void;
}

/** What is lost at most when the process is killed. */
const saveMs = 5 * 60_000;

/** One poll of all processes; keeps the history now and then. */
export function feedJob(deps: FeedDeps): () => Promise<void> {
  const { clock, log, history, save } = deps;
  let savedMs = clock.monotonicMs();
  let refused = 0;
  return async () => {
    await pollAll(deps);
    if (history.refused > refused) log.warn('history-full', { count: history.refused });
    refused = history.refused;
    if (clock.monotonicMs() - savedMs < saveMs) return;
    save();
    savedMs = clock.monotonicMs();
  };
}
