import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../mesh/child.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bound written beside the benchmark; absent for figures that are only reported. */
  readonly goal?: { readonly atMost?: number; readonly atLeast?: number };
}

/** One benchmark: prints as it goes (to stderr) and returns its figures. */
export type Bench = (progress: (text: string) => void) => Promise<Figure[]>;

/** Runs benchmarks one after the other; one line a figure, and with `--json FILE` an array of records. */
export async function runBenches(benches: Readonly<Record<string, Bench>>): Promise<void> {
  const { values } = parseArgs({ options: { json: { type: 'string' } } });
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  const origin = { machine, commit: commit(), date: new Date().toISOString() };
  const records = [];
  process.stdout.write(`machine: ${machine}\n`);
  for (const [name, bench] of Object.entries(benches)) {
    const progress = (text: string) => process.stderr.write(`${name}: ${text}\n`);
    for (const figure of await bench(progress)) {
      const pass = holds(figure);
      records.push({ name: figure.name, value: figure.value, unit: figure.unit, goal: goalText(figure) ?? null, pass, ...origin });
      const verdict = figure.goal ? `, goal ${goalText(figure)}: ${pass ? 'met' : 'MISSED'}` : '';
      process.stdout.write(`${figure.name}: ${figure.value.toLocaleString('en-US')} ${figure.unit}${verdict}\n`);
    }
  }
  if (values.json) writeFileSync(values.json, `${JSON.stringify(records, null, 2)}\n`);
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const rounded = (value: number, decimals = 2): number => Number(value.toFixed(decimals));

function holds({ value, goal }: Figure): boolean | null {
  if (!goal) return null;
  return value <= (goal.atMost ?? Number.POSITIVE_INFINITY) && value >= (goal.atLeast ?? Number.NEGATIVE_INFINITY);
}

function goalText({ goal, unit }: Figure): string | undefined {
  if (goal?.atMost !== undefined) return `at most ${goal.atMost.toLocaleString('en-US')} ${unit}`;
  if (goal?.atLeast !== undefined) return `at least ${goal.atLeast.toLocaleString('en-US')} ${unit}`;
  return undefined;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: repositoryRoot, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}
