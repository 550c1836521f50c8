import nodeFs from 'node:fs';
import { join } from 'node:path';
import type { Disk } from './buffer.ts';
import { readJson, writeJson } from './losses.ts';
import type { SecurityRecord } from './record.ts';

export interface RepeatOptions {
  /** Writes a record down. */
  readonly tell: (record: SecurityRecord) => void;
  readonly windowMs?: number;
  /** Where what was counted outlives the process. */
  readonly folder?: string;
  readonly disk?: Disk;
}

interface Repeated {
  readonly timer: NodeJS.Timeout;
  /** Of the first repetition; absent while there is none. */
  record?: SecurityRecord;
}

const fileIn = (folder: string): string => join(folder, 'repeats.json');

/** Tells what a process that died had counted. A death in between makes the next one tell it again, under the same ids. */
export function tellLeft(folder: string, tell: RepeatOptions['tell'], disk: Disk = nodeFs): void {
  for (const record of readJson<SecurityRecord[]>(fileIn(folder), disk) ?? []) tell(record);
  disk.rmSync(fileIn(folder), { force: true });
}

/** More kinds of events than the code has; what comes after is folded by its type alone. */
const maxKinds = 500;

/**
 * Tells the first event of a kind at once, and how many like it followed within a minute in one record at its end, so
 * that nobody can fill the disk.
 */
export class Repeats {
  readonly #options: RepeatOptions;
  readonly #disk: Disk;
  readonly #repeated = new Map<string, Repeated>();
  #changed = false;

  constructor(options: RepeatOptions) {
    this.#options = options;
    this.#disk = options.disk ?? nodeFs;
    if (options.folder !== undefined) tellLeft(options.folder, options.tell, options.disk);
  }

  take(record: SecurityRecord): void {
    const { key, kept } = this.#kindOf(record);
    const repeated = this.#repeated.get(key);
    if (repeated === undefined) {
      const timer = setTimeout(() => this.#end(key), this.#options.windowMs ?? 60_000).unref();
      this.#repeated.set(key, { timer });
      this.#options.tell(kept);
    } else {
      const count = (repeated.record?.count ?? 0) + kept.count;
      repeated.record = { ...(repeated.record ?? kept), count };
      this.#changed = true;
    }
  }

  /** Writes down what was counted since the last call; one small file, whatever happened. */
  store(): void {
    if (!this.#changed || this.#options.folder === undefined) return;
    const records = [...this.#repeated.values()].flatMap(({ record }) => record ?? []);
    writeJson(fileIn(this.#options.folder), records, this.#disk);
    this.#changed = false;
  }

  /** Tells all that was counted. */
  close(): void {
    for (const key of this.#repeated.keys()) this.#end(key);
    this.store();
  }

  #end(key: string): void {
    const repeated = this.#repeated.get(key);
    clearTimeout(repeated?.timer);
    this.#repeated.delete(key);
    if (repeated?.record === undefined) return;
    this.#options.tell(repeated.record);
    this.#changed = true;
  }

  #kindOf(record: SecurityRecord): { key: string; kept: SecurityRecord } {
    const { id, time, process, type, count, ...fields } = record;
    const key = JSON.stringify([type, fields]);
    if (this.#repeated.has(key) || this.#repeated.size < maxKinds) return { key, kept: record };
    return { key: type, kept: { id, time, process, type, count } };
  }
}
