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
  const lines = sorted.map(({ outcome, series, where, detail, expr }) => {
    const head = `${marks[outcome].padEnd(8)}${String(series).padStart(4)}  ${where}`;
    if (outcome === 'data') return head;
    const short = expr.replace(/\s+/g, ' ');
    return `${head}${detail ? `: ${detail}` : ''}${outcome === 'silent' ? '' : `\n              ${short}`}`;
  });
  const count = (outcome: Verdict['outcome']) => verdicts.filter((verdict) => verdict.outcome === outcome).length;
  return [
    ...lines,
    ...untold.map(({ metric, of }) => `UNTOLD        ${metric} (${of})`),
    ...ruleErrors.map((error) => `RULE          ${error}`),
    '',
    `${verdicts.length} expressions: ${count('data')} with data, ${count('silent')} silent as they may be, ${verdicts.filter(isFault).length} faults; ${untold.length} metrics untold`,
  ].join('\n');
}

export const holds = ({ verdicts, ruleErrors }: CheckResult): boolean =>
  !verdicts.some(isFault) && ruleErrors.length === 0;
