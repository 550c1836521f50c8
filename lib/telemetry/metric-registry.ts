import { type HrTime, ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  type CollectionResult,
  DataPointType,
  type MetricData,
  type MetricProducer,
} from '@opentelemetry/sdk-metrics';
import type { MetricName } from './catalog/catalog.ts';
import { catalog, definitionOf } from './catalog/catalog.ts';
import { echoStep, type MetricDefinition } from './catalog/metric.ts';
import type { Metrics, Readings } from './metrics.ts';

type Attributes = Readonly<Record<string, string>>;
type Observer = () => Readings<never> | Promise<Readings<never>>;

interface CounterRow {
  readonly attributes: Attributes;
  value: number;
}

interface HistogramRow {
  readonly attributes: Attributes;
  /** By bound, not cumulative; the last is for what is above all. */
  counts: number[];
  sum: number;
  shown: ShownHistogram;
}

interface ShownHistogram {
  readonly buckets: { readonly boundaries: number[]; readonly counts: number[] };
  readonly count: number;
  readonly sum: number;
}

/** Rows of one metric; what comes after is counted under no name, so that no fault of ours fills the memory. */
const maxRows = 500;

/**
 * Keeps what was counted, and shows it as it stood at the last flush, rounded down to the steps of the catalog. What a
 * step holds back is not lost, but for what only echoes; it waits for company. A source of metrics for every exporter of OpenTelemetry.
 */
export class MetricRegistry implements Metrics, MetricProducer {
  readonly #names: readonly MetricName[];
  readonly #counters = new Map<string, Map<string, CounterRow>>();
  readonly #histograms = new Map<string, Map<string, HistogramRow>>();
  readonly #observers = new Map<string, Observer[]>();
  readonly #startTime: HrTime;
  readonly #now: () => number;
  #shown: readonly MetricData[] = [];
  #shownAtMs: number;

  /** `nowMs`: milliseconds since 1970 UTC. */
  constructor(process: string, nowMs: () => number) {
    this.#now = nowMs;
    this.#shownAtMs = nowMs();
    this.#startTime = hrTime(nowMs());
    this.#names = (Object.keys(catalog) as MetricName[]).filter((name) => {
      const { of } = definitionOf(name);
      return of === 'every process' || of.includes(process);
    });
    for (const name of this.#names) this.#prepare(name, definitionOf(name));
  }

  count(name: MetricName, attributes: object, by = 1): void {
    const row = rowOf(this.#counters.get(name), attributes as Attributes, emptyCounter);
    if (row !== undefined) row.value += by;
  }

  record(name: MetricName, attributes: object, value: number): void {
    const { bounds = [] } = definitionOf(name);
    const row = rowOf(this.#histograms.get(name), attributes as Attributes, (kept) => emptyHistogram(kept, bounds));
    if (row === undefined) return;
    const at = bounds.findIndex((bound) => value <= bound);
    const bucket = at === -1 ? bounds.length : at;
    row.counts[bucket] = (row.counts[bucket] ?? 0) + 1;
    row.sum += value;
  }

  observe(name: MetricName, read: Observer): void {
    this.#counters.delete(name);
    this.#observers.set(name, [...(this.#observers.get(name) ?? []), read]);
  }

  /** Makes what was counted until now visible. */
  async flush(): Promise<void> {
    const nowMs = this.#now();
    const hourIsOver = hourOf(nowMs) !== hourOf(this.#shownAtMs);
    const shown = await Promise.all(this.#names.map((name) => this.#dataOf(name, hourIsOver)));
    this.#shown = shown.filter((data) => data !== undefined);
    this.#shownAtMs = nowMs;
  }

  /** What may be seen, and since when (milliseconds since 1970 UTC). */
  shown(): { readonly metrics: readonly MetricData[]; readonly atMs: number } {
    return { metrics: this.#shown, atMs: this.#shownAtMs };
  }

  async collect(): Promise<CollectionResult> {
    const scopeMetrics = [{ scope: { name: 'cwa' }, metrics: [...this.#shown] }];
    return { resourceMetrics: { resource: emptyResource(), scopeMetrics }, errors: [] };
  }

  /** Rows whose attributes have known values begin at 0, so that their first step is seen as growth. */
  #prepare(name: MetricName, { kind, attributes, bounds = [] }: MetricDefinition): void {
    if (kind === 'gauge') return;
    const rows = combinations(attributes);
    if (kind === 'counter') this.#counters.set(name, new Map(rows.map((row) => [keyOf(row), emptyCounter(row)])));
    else this.#histograms.set(name, new Map(rows.map((row) => [keyOf(row), emptyHistogram(row, bounds)])));
  }

  async #dataOf(name: MetricName, hourIsOver: boolean): Promise<MetricData | undefined> {
    const definition = definitionOf(name);
    const { description, unit, step, kind, hidden = false } = definition;
    const common = {
      descriptor: { name, description, unit, valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    };
    const times = { startTime: this.#startTime, endTime: hrTime(this.#now()) };
    if (kind === 'histogram') {
      const rows = [...(this.#histograms.get(name)?.values() ?? [])];
      for (const row of rows) {
        row.shown = shownHistogram(row, stepOf(definition, row.attributes));
        if (hourIsOver && isEcho(definition, row.attributes)) dropRest(row);
      }
      const visible = rows.filter(({ shown }) => !hidden || shown.count > 0);
      if (visible.length === 0) return undefined;
      const dataPoints = visible.map(({ attributes, shown }) => ({ attributes, ...times, value: shown }));
      return { ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints };
    }
    const rows = this.#observers.has(name)
      ? await this.#observed(name)
      : [...(this.#counters.get(name)?.values() ?? [])];
    if (rows.length === 0) return undefined;
    const dataPoints = rows.map(({ attributes, value }) => ({ attributes, ...times, value: stepped(value, step) }));
    return kind === 'gauge'
      ? { ...common, dataPointType: DataPointType.GAUGE, dataPoints }
      : { ...common, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints };
  }

  async #observed(name: MetricName): Promise<readonly { attributes: Attributes; value: number }[]> {
    const reads = (this.#observers.get(name) ?? []).map(async (read) => read());
    const settled = await Promise.allSettled(reads);
    return settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  }
}

/** The step of one row: larger where it is the echo of what phones do. */
function stepOf(definition: MetricDefinition, attributes: Attributes): number {
  return isEcho(definition, attributes) ? echoStep : definition.step;
}

const isEcho = ({ echoes }: MetricDefinition, attributes: Attributes): boolean =>
  echoes?.values.includes(attributes[echoes.attribute] ?? '') ?? false;

/** Forgets what no step has shown. */
function dropRest(row: HistogramRow): void {
  row.counts = [...row.shown.buckets.counts];
  row.sum = row.shown.sum;
}

/** Rounded down, also below zero; without the noise of binary fractions. */
export function stepped(value: number, step: number): number {
  return step === 0 ? value : Number((Math.floor(value / step + 1e-9) * step).toPrecision(12));
}

/**
 * Sums of buckets are stepped, and so stay in order; what a bucket shows is their difference. Nothing of the row changes
 * before its count does: the sum would move with each value, and of many bounds nearly always one passes its own step.
 */
function shownHistogram({ counts, sum, shown }: HistogramRow, step: number): ShownHistogram {
  const total = counts.reduce((all, count) => all + count, 0);
  const count = stepped(total, step);
  if (count === shown.count) return shown;
  let upTo = 0;
  let before = 0;
  const stepwise = counts.map((own) => {
    upTo += own;
    const difference = stepped(upTo, step) - before;
    before += difference;
    return difference;
  });
  const { boundaries } = shown.buckets;
  // Finer than the first bound it would tell more than the buckets do.
  const [finest = 1] = boundaries;
  return { buckets: { boundaries, counts: stepwise }, count, sum: stepped((sum * count) / total, finest) };
}

function rowOf<Row>(
  rows: Map<string, Row> | undefined,
  attributes: Attributes,
  empty: (attributes: Attributes) => Row,
): Row | undefined {
  if (rows === undefined) return undefined;
  const key = keyOf(attributes);
  const row = rows.get(key);
  if (row !== undefined || rows.size >= maxRows) return row;
  const fresh = empty(attributes);
  rows.set(key, fresh);
  return fresh;
}

const emptyCounter = (attributes: Attributes): CounterRow => ({ attributes, value: 0 });
const emptyHistogram = (attributes: Attributes, bounds: readonly number[]): HistogramRow => {
  const zeros = () => Array.from({ length: bounds.length + 1 }, () => 0);
  const shown = { buckets: { boundaries: [...bounds], counts: zeros() }, count: 0, sum: 0 };
  return { attributes, counts: zeros(), sum: 0, shown };
};

/** In the order in which the code names them; the same place always names them alike. */
function keyOf(attributes: Attributes): string {
  let key = '';
  for (const name in attributes) key += `${name}\0${attributes[name]}\0`;
  return key;
}

/** All rows of attributes with known values; none when any is open. */
function combinations(attributes: MetricDefinition['attributes']): Attributes[] {
  let rows: Attributes[] = [{}];
  for (const [name, values] of Object.entries(attributes)) {
    if (values === 'open') return [];
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })));
  }
  return rows;
}

const hourOf = (ms: number): number => Math.floor(ms / 3_600_000);
const hrTime = (ms: number): HrTime => [Math.floor(ms / 1_000), Math.round((ms % 1_000) * 1e6)];
