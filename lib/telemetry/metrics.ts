import type { AttributesOf, CounterName, GaugeName, HistogramName } from './catalog/catalog.ts';

export interface Reading<Name extends GaugeName | CounterName> {
  readonly attributes: AttributesOf<Name>;
  readonly value: number;
}

/**
 * What code counts. Nothing of it is seen at once: values leave the process as of the last whole minute and in the
 * steps of the catalog (decision 34).
 */
export interface Metrics {
  count<Name extends CounterName>(name: Name, attributes: AttributesOf<Name>, by?: number): void;
  record<Name extends HistogramName>(name: Name, attributes: AttributesOf<Name>, value: number): void;
  /**
   * Read at the end of each minute: gauges, and counters that something else keeps, such as a table. What is not named
   * then, or a read that fails, is absent. Several may observe one metric, each its own rows.
   */
  observe<Name extends GaugeName | CounterName>(name: Name, read: () => Readings<Name> | Promise<Readings<Name>>): void;
}

export type Readings<Name extends GaugeName | CounterName> = readonly Reading<Name>[];

export const silentMetrics: Metrics = { count() {}, record() {}, observe() {} };
