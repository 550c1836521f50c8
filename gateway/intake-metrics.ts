import { type RouteGroup, routeGroups } from './route-group.ts';

/** Coarse on purpose: why a request was refused would be the story of one phone. */
const outcomes = ['answered', 'refused', 'failed', 'shed'] as const;
export type CountedOutcome = (typeof outcomes)[number];

const step = 5;
/** Seconds; around the slots of the default floor, because that is where answers leave. */
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.51, 0.55, 1, 1.01, 1.05, 1.51, 2.51, 5, 10];

interface Row {
  readonly counts: Record<CountedOutcome, number>;
  /** By bound, not cumulative; the last is for what took longer. */
  readonly buckets: number[];
  seconds: number;
}

export interface IntakeMetricsOptions {
  /** Share of the last accepted answers that missed their first slot, 0 to 1. */
  readonly lateShare: () => number;
  readonly everyMs?: number;
}

/**
 * What may be known of the gateway's work (decision 34, S 1.12). Real and fake requests are counted as one: a fake is
 * an answered request. What is shown changes once a minute and in steps of 5, so that no count dates a person; the
 * remainder waits for company. Times are from a request's arrival to the moment its answer leaves, which the schedule
 * makes the same for real and fake; how long handling took, which only real requests do, is not measured here.
 */
export class IntakeMetrics {
  readonly #rows: Readonly<Record<RouteGroup, Row>>;
  readonly #lateShare: () => number;
  readonly #timer: NodeJS.Timeout;
  #shown: string;

  constructor({ lateShare, everyMs = 60_000 }: IntakeMetricsOptions) {
    this.#lateShare = lateShare;
    this.#rows = Object.fromEntries(routeGroups.map((group) => [group, emptyRow()])) as Record<RouteGroup, Row>;
    this.#shown = this.#render();
    this.#timer = setInterval(() => {
      this.#shown = this.#render();
    }, everyMs).unref();
  }

  /** One answer that left; `ms` from the arrival of its request. */
  count(group: RouteGroup, outcome: CountedOutcome, ms: number): void {
    const row = this.#rows[group];
    row.counts[outcome]++;
    const at = bounds.findIndex((bound) => ms <= bound * 1_000);
    const bucket = at === -1 ? bounds.length : at;
    row.buckets[bucket] = (row.buckets[bucket] ?? 0) + 1;
    row.seconds += ms / 1_000;
  }

  /** Prometheus text as of the last whole minute. */
  text(): string {
    return this.#shown;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #render(): string {
    const lines = ['# TYPE cwa_gateway_requests_total counter'];
    for (const group of routeGroups) {
      for (const outcome of outcomes) {
        const count = stepped(this.#rows[group].counts[outcome]);
        lines.push(`cwa_gateway_requests_total{route="${group}",outcome="${outcome}"} ${count}`);
      }
    }
    lines.push('# TYPE cwa_gateway_answer_seconds histogram');
    for (const group of routeGroups) lines.push(...histogram(group, this.#rows[group]));
    lines.push(
      '# TYPE cwa_gateway_late_answer_ratio gauge',
      `cwa_gateway_late_answer_ratio ${Math.floor(this.#lateShare() * 200) / 200}`,
      '',
    );
    return lines.join('\n');
  }
}

export function outcomeOf(status: number): CountedOutcome {
  if (status < 400) return 'answered';
  return status < 500 ? 'refused' : 'failed';
}

function histogram(group: RouteGroup, { buckets, seconds }: Row): string[] {
  const name = 'cwa_gateway_answer_seconds';
  let sum = 0;
  const lines = buckets.map((count, at) => {
    sum += count;
    return `${name}_bucket{route="${group}",le="${bounds[at] ?? '+Inf'}"} ${stepped(sum)}`;
  });
  return [
    ...lines,
    `${name}_sum{route="${group}"} ${stepped(seconds)}`,
    `${name}_count{route="${group}"} ${stepped(sum)}`,
  ];
}

/** Rounded down: sums of buckets stay in order, and five must come before one is seen. */
const stepped = (value: number): number => Math.floor(value / step) * step;

function emptyRow(): Row {
  return {
    counts: { answered: 0, refused: 0, failed: 0, shed: 0 },
    buckets: Array.from({ length: bounds.length + 1 }, () => 0),
    seconds: 0,
  };
}
