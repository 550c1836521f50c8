import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { repositoryRoot } from '../mesh/child.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The bound written beside the benchmark; absent for figures that are only reported. */
  readonly goal?: { readonly atMost?: number; readonly atLeast?: number };
}

/** What is written with `--json FILE`; machine, commit and date are repeated in each (decision 5). */
export interface FigureRecord {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly goal: string | null;
  readonly pass: boolean | null;
  readonly machine: string;
  readonly commit: string;
  readonly date: string;
}

export type Origin = Pick<FigureRecord, 'machine' | 'commit' | 'date'>;

/** Which machine and which state of the repository a figure belongs to. */
export function originNow(): Origin {
  const cpu = cpus();
  const machine = `${cpu.length} × ${cpu[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
  return { machine, commit: commit(), date: new Date().toISOString() };
}

export function recordOf(figure: Figure, origin: Origin): FigureRecord {
  const { name, value, unit } = figure;
  return { name, value, unit, goal: goalText(figure) ?? null, pass: holds(figure), ...origin };
}

/** One line for people. */
export function lineOf({ name, value, unit, goal, pass }: FigureRecord): string {
  const verdict = goal === null ? '' : `, goal ${goal}: ${pass ? 'met' : 'MISSED'}`;
  return `${name}: ${value.toLocaleString('en-US')} ${unit}${verdict}`;
}

export function writeRecords(file: string, records: readonly FigureRecord[]): void {
  writeFileSync(file, `${JSON.stringify(records, null, 2)}\n`);
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
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
