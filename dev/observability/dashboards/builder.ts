/** What a query asks and how its lines are named; `{{label}}` in the legend stands for a label's value. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** Units as Grafana names them; `short` has none. */
export type Unit = 's' | 'bytes' | 'percentunit' | 'reqps' | 'cps' | 'short' | 'bool_yes_no' | 'dtdurations';

export interface PanelOptions {
  readonly title: string;
  /** What is shown, its unit and how coarse it is. */
  readonly description: string;
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** Of 24; default: a stat 4, anything else 8. */
  readonly width?: number;
  /** Where green ends: yellow and red from here on. With `low`, below it instead. */
  readonly warn?: number;
  readonly bad?: number;
  readonly low?: boolean;
  readonly max?: number;
  readonly stack?: boolean;
  /** Alerts whose runbooks help here. */
  readonly runbooks?: readonly string[];
}

export type PanelType = 'timeseries' | 'stat' | 'bargauge';
export interface Panel extends PanelOptions {
  readonly type: PanelType;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

export interface Dashboard {
  /** Of the file and, after `cwa-`, of the page: never changed, since links point to it. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
}

export const timeseries = (options: PanelOptions): Panel => ({ type: 'timeseries', ...options });
export const stat = (options: PanelOptions): Panel => ({ type: 'stat', ...options });
export const bars = (options: PanelOptions): Panel => ({ type: 'bargauge', ...options });
export const query = (expr: string, legend: string): Query => ({ expr, legend });

/** What a counter grows by in a second, a line for each combination of the labels `by`. */
export const rateBy = (counter: string, ...by: readonly string[]): Query =>
  query(`sum by (${by.join(', ')}) (rate(${counter}[$window]))`, by.map((label) => `{{${label}}}`).join(' '));

/** Quantile of a histogram by the labels `by`. Its counts move in steps, so little traffic shows nothing. */
export const quantile = (q: number, histogram: string, matchers: string, by: readonly string[] = []): string =>
  `histogram_quantile(${q}, sum by (${[...by, 'le'].join(', ')}) (rate(${histogram}_bucket{${matchers}}[$window])))`;
