import type { Dashboard } from '../dashboards/builder.ts';
import { readPromQl } from '../promql.ts';
import type { Rule } from '../rules.ts';
import { mayBeAbsent, mayBeEmpty } from './may-be-empty.ts';
import type { Prometheus } from './prometheus.ts';

/** An expression and where it stands. */
export interface Asked {
  readonly where: string;
  readonly expr: string;
  /** It is answered when something is wrong, and only then. */
  readonly alert: boolean;
}

export interface Verdict extends Asked {
  /** `silent`: nothing came, and nothing had to. */
  readonly outcome: 'data' | 'silent' | 'empty' | 'unknown-metric' | 'error';
  readonly series: number;
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
export async function judge(asked: Asked, prometheus: Prometheus, names: ReadonlySet<string>): Promise<Verdict> {
  const told = (outcome: Verdict['outcome'], series = 0, detail = ''): Verdict => ({
    ...asked,
    outcome,
    series,
    detail,
  });
  try {
    const samples = await prometheus.query(asked.expr);
    const series = samples.filter(({ value }) => !Number.isNaN(value)).length;
    if (series > 0 && !asked.alert) return told('data', series);
    const wanted = readPromQl(asked.expr).selectors.map(({ name }) => name);
    const absent = wanted.filter((name) => !name.includes(':') && !names.has(name) && mayBeAbsent[name] === undefined);
    if (absent.length > 0) return told('unknown-metric', series, `nobody tells ${[...new Set(absent)].join(', ')}`);
    if (asked.alert) return told(series > 0 ? 'data' : 'silent', series, series > 0 ? 'fires or would' : 'alert');
    const reason =
      mayBeEmpty.find(({ expr }) => expr.test(asked.expr))?.reason ??
      wanted.map((name) => mayBeAbsent[name]).find((known) => known !== undefined);
    return reason === undefined
      ? told('empty', 0, samples.length > 0 ? 'no number' : 'no series')
      : told('silent', 0, reason);
  } catch (error) {
    return told('error', 0, error instanceof Error ? error.message : String(error));
  }
}

export const isFault = ({ outcome }: Verdict): boolean =>
  outcome === 'empty' || outcome === 'unknown-metric' || outcome === 'error';
