import fc from 'fast-check';

/** Stands in inputs wherever a text fits; seeing it in an answer or an error message is an echo. */
export const marker = 'c4naryZq';

/** What became of an input that was handled as it should: the summary counts these. */
export type Verdict = string;

/** Something that takes input from outside. */
export interface Target {
  readonly name: string;
  /** Part of all inputs, relative to the other targets. */
  readonly share: number;
  run(inputs: number, seed: number): Promise<TargetRun>;
}

export interface TargetRun {
  readonly inputs: number;
  readonly verdicts: ReadonlyMap<Verdict, number>;
  /** The shrunk counterexample and what it did. */
  readonly failure?: string;
}

/** Longest time that one input may keep a decoder busy, in ms: far above what any needs, far below what an attacker wants. */
const longestMs = 2_000;

/** A target that is a function. It answers a verdict; whatever it throws is a failure, and fast-check shrinks the input. */
export function decoderTarget<T>(
  name: string,
  share: number,
  inputs: fc.Arbitrary<T>,
  decode: (input: T) => Verdict | Promise<Verdict>,
): Target {
  return {
    name,
    share,
    run: async (count, seed) => {
      const verdicts = new Map<Verdict, number>();
      const property = fc.asyncProperty(inputs, async (input) => {
        const before = performance.now();
        countIn(verdicts, await decode(input));
        const ms = performance.now() - before;
        if (ms > longestMs) throw new Error(`took ${ms.toFixed(0)} ms`);
      });
      return runOf(count, verdicts, await fc.check(property, { numRuns: count, seed }));
    },
  };
}

/** A target behind a socket: `width` inputs are on their way at once. */
export function socketTarget<T>(
  name: string,
  share: number,
  width: number,
  inputs: fc.Arbitrary<T>,
  send: (input: T, lane: number) => Promise<Verdict>,
): Target {
  return {
    name,
    share,
    run: async (count, seed) => {
      const verdicts = new Map<Verdict, number>();
      const lanes = Math.min(width, count);
      const results = await Promise.all(
        Array.from({ length: lanes }, (_, lane) => {
          const property = fc.asyncProperty(inputs, async (input) => countIn(verdicts, await send(input, lane)));
          const numRuns = Math.floor(count / lanes) + (lane < count % lanes ? 1 : 0);
          return fc.check(property, { numRuns, seed: seed + lane });
        }),
      );
      return runOf(count, verdicts, results.find(({ failed }) => failed) ?? results[0]);
    },
  };
}

function countIn(verdicts: Map<Verdict, number>, verdict: Verdict): void {
  verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
}

function runOf<T>(inputs: number, verdicts: Map<Verdict, number>, details: fc.RunDetails<T> | undefined): TargetRun {
  if (!details?.failed) return { inputs, verdicts };
  return { inputs: details.numRuns, verdicts, failure: fc.defaultReportMessage(details) ?? 'failed' };
}

/** Answers `refused` when `read` throws an error of one of these classes that does not repeat the input. */
export async function refusedBy(
  classes: readonly (abstract new (...args: never[]) => Error)[],
  read: () => unknown,
): Promise<'accepted' | 'refused'> {
  try {
    await read();
    return 'accepted';
  } catch (error) {
    if (!(error instanceof Error) || !classes.some((expected) => error instanceof expected)) throw error;
    if (error.message.includes(marker)) throw new Error('the message of an error repeats the input', { cause: error });
    return 'refused';
  }
}
