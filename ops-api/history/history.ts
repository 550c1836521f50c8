import { type GetMetricsResponse, type Metric, MetricKind } from '../../gen/mesh/cwa/metrics/v1/metrics.ts';
import { definitionOf, type MetricName } from '../../lib/telemetry/catalog/catalog.ts';
import type { Kept } from './kept.ts';
import { hourMs, minuteMs, Series, type SeriesKind } from './series.ts';

export type Attributes = Readonly<Record<string, string>>;

/**
 * Series are never more than this: 1,500 × (2,880 minutes + 960 hours) × 4 bytes = 23 MB. Today's catalog makes about
 * 400 with ten partners. What comes after is not kept.
 */
export const maxSeries = 1_500;

/** A replica is found some time after it began. */
const startSlackMs = 5 * minuteMs;

export interface KeptSeries {
  readonly process: string;
  readonly metric: string;
  readonly attributes: Attributes;
  readonly series: Series;
}

export interface Selection {
  readonly process: string;
  readonly metric: MetricName;
  readonly where?: Attributes;
}

/** What an instance last told of its counters, so that the next telling shows what was added. */
export interface Told {
  atMs: number;
  readonly process: string;
  values: Map<string, number>;
}

/** Minutes and hours of what the processes told, summed over their replicas. In memory, bounded, coarse as at its source. */
export class History {
  readonly #series = new Map<string, KeptSeries>();
  readonly #told = new Map<string, Told>();
  #headMinute = 0;
  #refused = 0;
  #watchedSinceMs: number | undefined;

  /** Takes what one instance told. `nowMs`: when it was told. */
  take(process: string, kept: readonly Kept[], answer: GetMetricsResponse, nowMs: number): void {
    const minute = Math.max(this.#headMinute, Math.floor(nowMs / minuteMs));
    this.#headMinute = minute;
    this.#watchedSinceMs ??= nowMs;
    const instance = answer.process?.instance ?? '';
    const before = this.#told.get(instance);
    // What it does not tell this time, because a read failed, is kept.
    const now: Told = { atMs: nowMs, process, values: new Map(before?.values) };
    const isNew = before === undefined && this.#beganSince(process, answer.process?.startedAt?.getTime() ?? 0);
    for (const rule of kept) {
      const metric = answer.metrics.find(({ name }) => name === rule.metric);
      if (metric === undefined) continue;
      for (const [attributes, value] of rowsOf(metric, rule)) {
        const key = keyOf(process, rule.metric, attributes);
        if (metric.kind === MetricKind.METRIC_KIND_GAUGE)
          this.#add(key, process, rule.metric, attributes, 'gauge', value, minute);
        else {
          const last = rule.shared ? this.#shared(process, key) : before?.values.get(key);
          // A row that a known instance tells for the first time began at 0.
          const base = last ?? ((isNew || before !== undefined) && !rule.shared ? 0 : value);
          // Less than before: it began anew, and what it shows now came since.
          const added = value >= base ? value - base : rule.shared ? 0 : value;
          now.values.set(key, value);
          if (added > 0) this.#add(key, process, rule.metric, attributes, 'counter', added, minute);
        }
      }
    }
    this.#add(keyOf(process, samples, {}), process, samples, {}, 'counter', 1, minute);
    this.#told.set(instance, now);
    this.#forgetSilent(nowMs);
  }

  /** Attributes of what is kept of a metric. */
  attributesOf({ process, metric, where = {} }: Selection): readonly Attributes[] {
    return this.#matching({ process, metric, where }).map(({ attributes }) => attributes);
  }

  /** Sum over all matching counters, or highest of the gauges, slot by slot; NaN where the process told nothing. */
  read(selection: Selection, unit: 'minute' | 'hour', first: number, count: number): number[] {
    const told = this.#series.get(keyOf(selection.process, samples, {}))?.series.read(unit, first, count);
    const matching = this.#matching(selection).map(({ series }) => series);
    // A counter that was never told has counted nothing; of a gauge nothing is known.
    const isGauge = definitionOf(selection.metric).kind === 'gauge';
    const values = matching.map((series) => series.read(unit, first, count));
    return Array.from({ length: count }, (_, at) => {
      if (!told?.[at]) return Number.NaN;
      if (!isGauge) return values.reduce((sum, row) => sum + (row[at] ?? 0), 0);
      const known = values.map((row) => row[at] ?? Number.NaN).filter((value) => !Number.isNaN(value));
      return known.length === 0 ? Number.NaN : Math.max(...known);
    });
  }

  /** How many instances told something, slot by slot: 60 in a full hour for each. */
  samples(process: string, unit: 'minute' | 'hour', first: number, count: number): number[] {
    const series = this.#series.get(keyOf(process, samples, {}))?.series;
    return (
      series?.read(unit, first, count).map((value) => (Number.isNaN(value) ? 0 : value)) ?? Array<number>(count).fill(0)
    );
  }

  /** Series that the bound kept out. */
  get refused(): number {
    return this.#refused;
  }

  entries(): {
    readonly headMinute: number;
    readonly series: readonly KeptSeries[];
    readonly told: ReadonlyMap<string, Told>;
  } {
    return { headMinute: this.#headMinute, series: [...this.#series.values()], told: this.#told };
  }

  /** Fills an empty history with what a file kept. */
  restore(headMinute: number, series: readonly KeptSeries[], told: ReadonlyMap<string, Told>): void {
    this.#headMinute = headMinute;
    for (const kept of series.slice(0, maxSeries)) {
      this.#series.set(keyOf(kept.process, kept.metric, kept.attributes), kept);
    }
    for (const [instance, values] of told) this.#told.set(instance, values);
  }

  #add(
    key: string,
    process: string,
    metric: string,
    attributes: Attributes,
    kind: SeriesKind,
    value: number,
    minute: number,
  ) {
    let kept = this.#series.get(key);
    if (kept === undefined) {
      if (this.#series.size >= maxSeries) {
        this.#refused++;
        return;
      }
      kept = { process, metric, attributes, series: new Series(kind, minute) };
      this.#series.set(key, kept);
    }
    kept.series.add(minute, value);
  }

  #matching({ process, metric, where = {} }: Selection): KeptSeries[] {
    return [...this.#series.values()].filter(
      (kept) =>
        kept.process === process &&
        kept.metric === metric &&
        Object.entries(where).every(([name, value]) => kept.attributes[name] === value),
    );
  }

  /** Began while we watched the process, or while we were away: all it counted is news. Else it was there before us. */
  #beganSince(process: string, startedMs: number): boolean {
    const told = [...this.#told.values()].filter((one) => one.process === process).map(({ atMs }) => atMs);
    const seenMs = told.length > 0 ? Math.max(...told) : (this.#watchedSinceMs ?? Number.POSITIVE_INFINITY);
    return startedMs >= seenMs - startSlackMs;
  }

  /** The highest that any replica told. */
  #shared(process: string, key: string): number | undefined {
    const told = [...this.#told.values()].flatMap((one) =>
      one.process === process ? (one.values.get(key) ?? []) : [],
    );
    return told.length === 0 ? undefined : Math.max(...told);
  }

  #forgetSilent(nowMs: number): void {
    for (const [instance, { atMs }] of this.#told) if (atMs < nowMs - 24 * hourMs) this.#told.delete(instance);
  }
}

/** How often a process told anything, kept like a counter of its own. */
const samples = 'ops.samples';

const keyOf = (process: string, metric: string, attributes: Attributes): string =>
  [
    process,
    metric,
    ...Object.keys(attributes)
      .sort()
      .map((name) => `${name}=${attributes[name]}`),
  ].join('\0');

/** Rows of a metric as the rule keeps them: summed over what it does not tell apart. */
function rowsOf(metric: Metric, { by, without = {}, buckets = false }: Kept): [Attributes, number][] {
  const rows = new Map<string, [Attributes, number]>();
  const put = (attributes: Attributes, value: number): void => {
    const key = keyOf('', '', attributes);
    const before = rows.get(key)?.[1];
    const isGauge = metric.kind === MetricKind.METRIC_KIND_GAUGE;
    rows.set(key, [attributes, before === undefined ? value : isGauge ? Math.max(before, value) : before + value]);
  };
  const isLeftOut = (attributes: Attributes): boolean =>
    Object.entries(without).some(([name, value]) => attributes[name] === value);
  for (const point of metric.points) {
    if (isLeftOut(point.attributes)) continue;
    const kept = Object.entries(point.attributes).filter(([name]) => by?.includes(name) ?? true);
    const attributes = Object.fromEntries(kept);
    if (metric.kind !== MetricKind.METRIC_KIND_HISTOGRAM) put(attributes, point.value);
    else if (!buckets)
      put(
        attributes,
        point.bucketCounts.reduce((sum, count) => sum + count, 0),
      );
    else {
      // Up to each bound, as these sums never go down; a single bucket may, in steps.
      let upTo = 0;
      point.bucketCounts.forEach((count, at) => put({ ...attributes, le: String(at) }, (upTo += count)));
    }
  }
  return [...rows.values()];
}
