/** What an intake request turned out to be (S 1.12). Fakes never get here; the gateway counts them. */
export type RequestType = 'all' | 'real' | 'invalidTan' | 'submissionOnBehalf' | 'invalidPayload' | 'unavailable';

export interface Counters {
  add(type: RequestType): void;
  /** Prometheus text format. */
  text(): string;
}

/**
 * Counters that are shown in steps, so that no single upload can be matched in time (S 1.12, decision 34). What is
 * counted but not shown yet stays in memory.
 */
export function steppedCounters(step = 5): Counters {
  const counts: Record<RequestType, number> = {
    all: 0,
    real: 0,
    invalidTan: 0,
    submissionOnBehalf: 0,
    invalidPayload: 0,
    unavailable: 0,
  };
  return {
    add(type) {
      counts[type]++;
    },
    text() {
      const lines = Object.entries(counts).map(
        ([type, count]) => `submission_controller_requests_total{type="${type}"} ${Math.floor(count / step) * step}`,
      );
      return [
        '# HELP submission_controller_requests_total Uploads by what became of them, in steps.',
        '# TYPE submission_controller_requests_total counter',
        ...lines,
        '',
      ].join('\n');
    },
  };
}
