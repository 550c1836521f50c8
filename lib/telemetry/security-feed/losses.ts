import nodeFs from 'node:fs';
import { join } from 'node:path';
import type { SecurityEvent } from '../security.ts';
import type { Disk } from './buffer.ts';
import type { SecurityRecord } from './record.ts';

export type LossReason = Extract<SecurityEvent, { type: 'events-lost' }>['reason'];

/** Events that will not arrive, until that itself has been told; kept on disk, so that a restart forgets none. */
export class Losses {
  readonly #folder: string;
  readonly #disk: Disk;
  readonly #lost: Map<LossReason, number>;

  constructor(folder: string, disk: Disk = nodeFs) {
    this.#folder = folder;
    this.#disk = disk;
    this.#lost = new Map(readLosses(folder, disk));
  }

  add(reason: LossReason, count: number): void {
    if (count === 0) return;
    this.#lost.set(reason, (this.#lost.get(reason) ?? 0) + count);
    this.#store();
  }

  /** Takes over what a folder tells that nobody uses any more. */
  adopt(folder: string): void {
    for (const [reason, count] of readLosses(folder, this.#disk)) this.add(reason, count);
    this.#disk.rmSync(fileIn(folder), { force: true });
  }

  /** Hands each loss to `tell`, which returns once it is written down, and forgets it. */
  told(tell: (reason: LossReason, lost: number) => void): void {
    if (this.#lost.size === 0) return;
    const lost = [...this.#lost];
    this.#lost.clear();
    for (const [reason, count] of lost) tell(reason, count);
    this.#store();
  }

  #store(): void {
    try {
      writeJson(fileIn(this.#folder), [...this.#lost], this.#disk);
    } catch {
      // The disk that lost events may lose this too; the process still knows.
    }
  }
}

const fileIn = (folder: string): string => join(folder, 'lost.json');
const readLosses = (folder: string, disk: Disk): [LossReason, number][] => readJson(fileIn(folder), disk) ?? [];

/** How many events these lines stand for: repetitions count, and so do losses that were told in them. */
export function eventsIn(lines: readonly string[]): number {
  return lines.reduce((sum, line) => {
    const { count, lost } = JSON.parse(line) as SecurityRecord & { lost?: number };
    return sum + (lost ?? count);
  }, 0);
}

export const isLossRecord = (line: string): boolean => (JSON.parse(line) as SecurityRecord).type === 'events-lost';

/** Lines that the collector will not have, for people to look at; of two files the older one goes when one is full. */
export class RefusedLines {
  readonly #file: string;
  readonly #maxBytes: number;

  constructor(folder: string, maxBytes: number) {
    this.#file = join(folder, 'refused.ndjson');
    this.#maxBytes = maxBytes / 2;
  }

  add(line: string): void {
    try {
      const size = nodeFs.existsSync(this.#file) ? nodeFs.statSync(this.#file).size : 0;
      if (size + line.length > this.#maxBytes) nodeFs.renameSync(this.#file, `${this.#file}.1`);
      nodeFs.appendFileSync(this.#file, `${line}\n`, { mode: 0o600 });
    } catch {
      // Counted as lost in any case.
    }
  }
}

export function readJson<T>(file: string, disk: Disk): T | undefined {
  try {
    return disk.existsSync(file) ? (JSON.parse(disk.readFileSync(file, 'utf8')) as T) : undefined;
  } catch {
    return undefined;
  }
}

/** As a whole or not at all. */
export function writeJson(file: string, value: unknown, disk: Disk): void {
  disk.writeFileSync(`${file}.new`, JSON.stringify(value), { mode: 0o600 });
  disk.renameSync(`${file}.new`, file);
}
