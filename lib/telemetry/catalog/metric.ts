/** One metric: what it counts, in which unit, and how coarsely it leaves the process (decision 34, architecture 6.5). */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** UCUM, as the semantic conventions of OpenTelemetry want it: `s`, `By`, `1`, `{key}`. */
  readonly unit: string;
  readonly description: string;
  /** Values leave as multiples of it, rounded down; of a histogram the counts do. 0 leaves them as they are. */
  readonly step: number;
  /**
   * Rows that echo what phones do and other metrics count already. One upload moves several of them, each with a rest of
   * its own; in small steps they would tell between them what each alone hides. So they move by `echoStep`, and what an
   * hour leaves below it is forgotten: the few uploads of a night move none of them.
   */
  readonly echoes?: { readonly attribute: string; readonly values: readonly string[] };
  /**
   * Attributes with all their values. `open`: constants of the code or of the configuration (RPC methods, jobs, names of
   * partners), never anything that a request brought.
   */
  readonly attributes: Readonly<Record<string, readonly string[] | 'open'>>;
  /** Rows are absent before their first whole step: that there is one would tell of a first request. */
  readonly hidden?: true;
  /** Upper bounds of a histogram's buckets, in its unit. */
  readonly bounds?: readonly number[];
  /** Processes that have it. */
  readonly of: readonly string[] | 'every process';
}

/**
 * Of what echoes. An act of a person, a registration or an upload, is counted in steps of 5 in one place alone; what
 * else it moves moves by this, or by more than fifty uploads do (`echoes.test.ts`, `one-night.test.ts`).
 */
export const echoStep = 50;

/** Seconds; around the slots of the default answer schedule, because that is where answers leave. */
export const answerBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.51, 0.55, 1, 1.01, 1.05, 1.51, 2.51, 5, 10];
/** Seconds of calls and statements. */
export const callBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Seconds of jobs. */
export const jobBounds = [0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
/** Seconds from the sample to the delivered result, and from the end of an hour to its package. */
export const delayBounds = [60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 43_200, 86_400, 172_800, 345_600];
