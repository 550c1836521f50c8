import { intakeMetrics } from './intake.ts';
import type { MetricDefinition } from './metric.ts';
import { processMetrics } from './process.ts';
import { publishingMetrics } from './publishing.ts';

/**
 * Every metric that may leave a process. Dashboards, rules, the ops API and the documentation are held to it by tests;
 * what is not here cannot be counted.
 */
export const catalog = { ...processMetrics, ...intakeMetrics, ...publishingMetrics } as const;

export type MetricName = keyof typeof catalog;
type Named<Kind extends MetricDefinition['kind']> = {
  [Name in MetricName]: (typeof catalog)[Name]['kind'] extends Kind ? Name : never;
}[MetricName];
export type CounterName = Named<'counter'>;
export type HistogramName = Named<'histogram'>;
export type GaugeName = Named<'gauge'>;

/** The attributes of a metric, each with the values that the catalog allows. */
export type AttributesOf<Name extends MetricName> = {
  readonly [Key in keyof (typeof catalog)[Name]['attributes']]: (typeof catalog)[Name]['attributes'][Key] extends readonly (infer Value)[]
    ? Value
    : string;
};

export const definitionOf = (name: MetricName): MetricDefinition => catalog[name];
