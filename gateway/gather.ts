import { RpcError, unavailable } from '../lib/rpc/errors.ts';
import { untracedWork } from '../lib/telemetry/tracing.ts';
import type { Clock } from '../lib/time/clock.ts';

export interface GatherOptions<Item, Outcome> {
  /** One call of the mesh for several items; answers one outcome an item, in order. */
  call(items: readonly Item[]): Promise<readonly Outcome[]>;
  readonly clock: Clock;
  /** How long the first item waits for company, in ms. */
  readonly windowMs: number;
  readonly maxItems: number;
  /** Largest sum of `sizeOf`; a single larger item goes alone. */
  readonly maxBytes?: number;
  sizeOf?(item: Item): number;
}

/** Milliseconds after which a failed call is not divided any further. */
const divideForMs = 2_000;

interface Waiting<Item, Outcome> {
  readonly item: Item;
  resolve(outcome: Outcome): void;
  reject(error: unknown): void;
}

/**
 * Makes one mesh call of the items that come within a few milliseconds (stack section 3: 3 ms is best). Every item has
 * its own outcome. A call that fails as a whole, though the service was reached, is divided in halves and repeated, so
 * that an item the service cannot bear fails alone.
 */
export function gather<Item, Outcome>(options: GatherOptions<Item, Outcome>): (item: Item) => Promise<Outcome> {
  const { clock, windowMs, maxItems, maxBytes = Number.POSITIVE_INFINITY, sizeOf = () => 0 } = options;
  let waiting: Waiting<Item, Outcome>[] = [];
  let bytes = 0;
  let timer: NodeJS.Timeout | undefined;

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const gathered = waiting;
    waiting = [];
    bytes = 0;
    // Whoever came first, or filled the call, does not speak for the others (decision 34).
    void untracedWork(() => send(options, gathered, clock.monotonicMs() + divideForMs));
  };

  return (item) =>
    new Promise((resolve, reject) => {
      const size = sizeOf(item);
      if (waiting.length > 0 && bytes + size > maxBytes) flush();
      waiting.push({ item, resolve, reject });
      bytes += size;
      if (waiting.length >= maxItems || windowMs === 0) flush();
      else timer ??= setTimeout(flush, windowMs);
    });
}

async function send<Item, Outcome>(
  options: GatherOptions<Item, Outcome>,
  gathered: readonly Waiting<Item, Outcome>[],
  divideUntilMs: number,
): Promise<void> {
  try {
    const outcomes = await options.call(gathered.map(({ item }) => item));
    if (outcomes.length !== gathered.length) throw unavailable('OUTCOMES_DO_NOT_MATCH');
    for (const [index, { resolve }] of gathered.entries()) resolve(outcomes[index] as Outcome);
  } catch (error) {
    if (gathered.length === 1 || !mayDivide(error) || options.clock.monotonicMs() >= divideUntilMs) {
      for (const { reject } of gathered) reject(error);
      return;
    }
    const middle = gathered.length >> 1;
    await Promise.all([
      send(options, gathered.slice(0, middle), divideUntilMs),
      send(options, gathered.slice(middle), divideUntilMs),
    ]);
  }
}

/** An unreachable or slow service is no item's fault; more calls would only add to its load. */
function mayDivide(error: unknown): boolean {
  if (!(error instanceof RpcError)) return true;
  return error.code !== 'UNAVAILABLE' && error.code !== 'DEADLINE_EXCEEDED' && error.code !== 'CANCELLED';
}
