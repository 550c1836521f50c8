import type { Outcome } from './kill-points.ts';

/** Sums of the kill points, for people to read. */
export interface Tally {
  add(outcome: Outcome): void;
  line(outcome: Outcome): string;
  table(): string;
  readonly points: number;
  readonly failures: number;
}

interface Row {
  points: number;
  /** Answered well although a message was lost: a call was repeated inside the mesh. */
  unharmed: number;
  retried: number;
  mostRetries: number;
  failed: number;
}

export function tally(): Tally {
  const rows = new Map<string, Row>();
  let points = 0;
  let failures = 0;
  const startedAt = performance.now();
  return {
    add({ point, first, retries, faults }) {
      const name = `${point.journey.padEnd(8)} ${point.link.padEnd(24)} ${point.manner.padEnd(13)}`;
      const row = rows.get(name) ?? { points: 0, unharmed: 0, retried: 0, mostRetries: 0, failed: 0 };
      rows.set(name, row);
      points++;
      row.points++;
      if (first === 200 || first === 201) row.unharmed++;
      else row.retried++;
      row.mostRetries = Math.max(row.mostRetries, retries);
      if (faults.length > 0) {
        row.failed++;
        failures++;
      }
    },
    line({ point, frame, first, retries, faults }) {
      const where = `${point.journey} ${point.link} ${point.direction} ${point.nth} (${frame ?? 'not met'})`;
      const how = `${point.manner} ${point.when}, ${point.sequel}`;
      return `${faults.length > 0 ? '✗' : '✓'} ${where}: ${how}: ${first}, ${retries} more requests ${faults.join('; ')}`;
    },
    table() {
      const head = `${'journey  link                     manner'.padEnd(48)} points  unharmed  repeated  most requests  failed\n`;
      const body = [...rows].map(([name, row]) => {
        const numbers = [row.points, row.unharmed, row.retried, row.mostRetries, row.failed];
        return `${name.padEnd(48)} ${numbers.map((n, i) => String(n).padStart([6, 9, 9, 14, 7][i] ?? 6)).join(' ')}\n`;
      });
      const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
      return `${head}${body.join('')}${points} kill points, ${failures} failed, ${seconds} s\n`;
    },
    get points() {
      return points;
    },
    get failures() {
      return failures;
    },
  };
}
