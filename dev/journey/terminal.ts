/** Where a journey tells what happens. */
export interface Narrator {
  line(text: string): void;
}

export const terminal: Narrator = { line: (text) => void process.stdout.write(`${text}\n`) };
