import type { Dashboard } from '../dashboards/builder.ts';
import { readPromQl } from '../promql.ts';
import type { Rule } from '../rules.ts';
import type { Prometheus } from './prometheus.ts';

/** An expression and where it stands. */
export interface Asked {
  readonly where: string;
  readonly expr: string;
  /** It is answered when something is wrong, and only then. Whatever else is empty is a fault. */
  readonly alert: boolean;
}

export interface Verdict extends Asked {
  /** `silent`: an alert without a cause. */
  readonly outcome: 'data' | 'silent' | 'empty' | 'unknown-metric' | 'error';
  readonly series: number;
  /** The highest of what came. */
  readonly highest?: number;
  readonly detail: string;
}

/** What `$window` stands for: a check lasts a minute or two. */
const window = '5m';

export function askedOf(dashboards: readonly Dashboard[], rules: readonly Rule[]): Asked[] {
  const panels = dashboards.flatMap(({ name, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap(({ title, queries }) =>
        queries.map(({ expr }) => ({
          where: `dashboard ${name}: ${title}`,
          expr: expr.replaceAll('$window', window),
          alert: false,
        })),
      ),
    ),
  );
  const ruled = rules.map(({ file, record, alert, expr }) => ({
    where: `${file}: ${record ?? alert}`,
    expr: expr.trim(),
    alert: alert !== undefined,
  }));
  return [...panels, ...ruled];
}

/** Asks Prometheus; `names`: of all its series. */
export async function judge(
  asked: Asked,
  prometheus: Pick<Prometheus, 'query'>,
  names: ReadonlySet<string>,
): Promise<Verdict> {
  const told = (outcome: Verdict['outcome'], detail = '', values: readonly number[] = []): Verdict => {
    const highest = values.length === 0 ? {} : { highest: Math.max(...values) };
    return { ...asked, outcome, series: values.length, ...highest, detail };
  };
  try {
    const samples = await prometheus.query(asked.expr);
    const values = samples.map(({ value }) => value).filter((value) => !Number.isNaN(value));
    if (values.length > 0) return told('data', asked.alert ? 'would fire, if it lasts' : '', values);
    const wanted = readPromQl(asked.expr).selectors.map(({ name }) => name);
    const absent = wanted.filter((name) => !name.includes(':') && !names.has(name));
    if (absent.length > 0) return told('unknown-metric', `nobody tells ${[...new Set(absent)].join(', ')}`);
    if (asked.alert) return told('silent', 'nothing is wrong');
    return told('empty', samples.length > 0 ? 'no number' : 'no series');
  } catch (error) {
    return told('error', error instanceof Error ? error.message : String(error));
  }
}

export const isFault = ({ outcome }: Verdict): boolean =>
  outcome === 'empty' || outcome === 'unknown-metric' || outcome === 'error';
