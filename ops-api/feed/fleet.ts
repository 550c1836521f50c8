import type { GetMetricsResponse } from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';

/** One replica: what it last told, and whether it still does. */
export interface Instance {
  /** Orders and names it; not where it is reached. */
  readonly key: string;
  readonly answer?: GetMetricsResponse;
  readonly up: boolean;
  readonly lastSeenMs?: number;
  /** When it was asked first, on the monotonic clock; while it has never answered. */
  readonly awaitedSinceMs?: number;
}

export interface FleetProcess {
  readonly process: ProcessName;
  /** No address is set for it: it is not asked. */
  readonly configured: boolean;
  readonly instances: readonly Instance[];
}

/** So long may a replica take to its first answer before its silence means anything: all start at once. */
const firstAnswerMs = 60_000;

/** It has never answered, and may be starting still. */
export const isAwaited = ({ awaitedSinceMs }: Instance, monotonicMs: number): boolean =>
  awaitedSinceMs !== undefined && monotonicMs - awaitedSinceMs < firstAnswerMs;

/** Who answered at the last poll. */
export class Fleet {
  readonly #processes = new Map<ProcessName, FleetProcess>();

  constructor(processes: Iterable<ProcessName>, isConfigured: (process: ProcessName) => boolean) {
    for (const process of processes) {
      this.#processes.set(process, { process, configured: isConfigured(process), instances: [] });
    }
  }

  /** Replaces what is known of the process by the outcome of a poll, one entry for each address. */
  set(process: ProcessName, instances: readonly Instance[]): void {
    const known = this.#processes.get(process);
    if (known) this.#processes.set(process, { ...known, instances });
  }

  get(process: ProcessName): FleetProcess | undefined {
    return this.#processes.get(process);
  }

  all(): readonly FleetProcess[] {
    return [...this.#processes.values()].sort((a, b) => a.process.localeCompare(b.process));
  }
}
