import type { CheckResult } from './run-check.ts';
import { isFault, type Verdict } from './verdict.ts';

const marks: Readonly<Record<Verdict['outcome'], string>> = {
  data: 'data',
  silent: 'silent',
  empty: 'EMPTY',
  'unknown-metric': 'UNKNOWN',
  error: 'ERROR',
};

/** One line an expression, faults last, then the sum. */
export function table({ verdicts, untold, ruleErrors }: CheckResult): string {
  const sorted = [...verdicts].sort((a, b) => Number(isFault(a)) - Number(isFault(b)));
  const lines = sorted.map((verdict) => {
    const { outcome, series, highest, where, detail, expr } = verdict;
    const value = highest === undefined ? '' : Number(highest.toPrecision(4));
    const line = `${marks[outcome].padEnd(8)}${String(series).padStart(4)}${String(value).padStart(12)}  ${where}`;
    const why = detail === '' ? '' : `: ${detail}`;
    return isFault(verdict) ? `${line}${why}\n${''.padEnd(26)}${expr.replace(/\s+/g, ' ')}` : `${line}${why}`;
  });
  const count = (outcome: Verdict['outcome']) => verdicts.filter((verdict) => verdict.outcome === outcome).length;
  return [
    'outcome   series   highest  expression of',
    ...lines,
    ...untold.map(({ metric, of }) => `UNTOLD                    ${metric} (${of})`),
    ...ruleErrors.map((error) => `RULE                      ${error}`),
    '',
    `${verdicts.length} expressions: ${count('data')} with data, ${count('silent')} silent as they may be, ${verdicts.filter(isFault).length} faults; ${untold.length} metrics untold`,
  ].join('\n');
}

export const holds = ({ verdicts, ruleErrors }: CheckResult): boolean =>
  !verdicts.some(isFault) && ruleErrors.length === 0;
