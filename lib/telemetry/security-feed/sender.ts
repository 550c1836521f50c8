import type { Random } from '../../random/random.ts';
import type { Clock } from '../../time/clock.ts';
import type { Log } from '../log.ts';
import type { Collector, CollectorAnswer } from './collector.ts';
import type { Delivery } from './delivery.ts';

export interface SenderOptions {
  readonly delivery: Delivery;
  readonly collector: Pick<Collector, 'close'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: Random;
  readonly pace: SenderPace;
}

/** Milliseconds of real time. */
export interface SenderPace {
  /** Events of so long are sent together. */
  readonly gatherMs: number;
  /** Wait after the first failure; doubled with each further one up to the longest. Half of it is random. */
  readonly backoffMs: number;
  readonly longestBackoffMs: number;
  /** Longest time for the last attempt when the process ends. */
  readonly lastAttemptMs: number;
}

export interface Sender {
  /** Something is there to be sent. */
  wake(): void;
  /** One last attempt. */
  close(): Promise<void>;
}

/** Sends in the background whenever something is there, and at the start what an earlier process has left. */
export function openSender(options: SenderOptions): Sender {
  const { clock, pace } = options;
  const closing = new AbortController();
  const rest = (ms: number): Promise<void> => clock.sleep(ms, closing.signal).catch(() => {});
  const attempts = countedAttempts(options);
  let awake = true;
  let wakeUp = (): void => {};
  const wake = (): void => {
    awake = true;
    wakeUp();
  };
  const woken = (): Promise<void> =>
    new Promise((done) => {
      wakeUp = done;
      if (awake) done();
    });

  const running = (async () => {
    while (!closing.signal.aborted) {
      await woken();
      await rest(pace.gatherMs);
      awake = false;
      const failures = await attempts();
      if (failures === 0) continue;
      awake = true;
      await rest(backoff(options, failures));
    }
    await attempts();
  })();

  return {
    wake,
    async close() {
      closing.abort();
      wake();
      const limit = setTimeout(() => options.collector.close(), pace.lastAttemptMs);
      await running;
      clearTimeout(limit);
      options.collector.close();
    },
  };
}

/** Makes an attempt and answers how many in a row have failed; the first failure and the end of them are logged. */
function countedAttempts({ delivery, log }: SenderOptions): () => Promise<number> {
  let failures = 0;
  return async () => {
    const answer = await delivery.run().catch((error: NodeJS.ErrnoException): CollectorAnswer => {
      return { outcome: 'unavailable', reason: error.code ?? error.name };
    });
    if (answer !== undefined && failures === 0) log.warn('security-feed-waits', { reason: answer.reason });
    if (answer === undefined && failures > 0) log.info('security-feed-delivers', { attempt: failures });
    failures = answer === undefined ? 0 : failures + 1;
    return failures;
  };
}

function backoff({ pace, random }: SenderOptions, failures: number): number {
  const longest = Math.min(pace.longestBackoffMs, pace.backoffMs * 2 ** (failures - 1));
  return longest / 2 + random.int(Math.ceil(longest / 2));
}
