import type { Figure } from './record.ts';

/** What a benchmark receives. */
export interface BenchRun {
  /** Says what is going on, on stderr. */
  progress(text: string): void;
  /** Registers what must be undone; done in reverse order at the end, also when the run is interrupted. */
  defer(step: () => Promise<void> | void): void;
  /** Share of the full size, 1 unless a quicker and smaller run was asked for. */
  readonly scale: number;
  /** Folder for CPU profiles of the processes, when they are asked for. */
  readonly profileFolder?: string;
  /** Fewer samples, for a first look. */
  readonly quick?: boolean;
}

export type Bench = (run: BenchRun) => Promise<Figure[]>;

export interface Deferred {
  defer(step: () => Promise<void> | void): void;
  /** Undoes everything; a step that fails does not keep the others from running. */
  undo(): Promise<void>;
}

export function deferred(): Deferred {
  const steps: (() => Promise<void> | void)[] = [];
  const undoAll = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  };
  let undoing = Promise.resolve();
  return {
    defer: (step) => steps.push(step),
    // One after the other: an interrupt makes the benchmark fail, and both then undo.
    undo: () => (undoing = undoing.then(undoAll, undoAll)),
  };
}
