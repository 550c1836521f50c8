import nodeFs from 'node:fs';
import { join } from 'node:path';

/** What of `node:fs` the buffer uses, so that a test can end the process at each step. */
export type Disk = Pick<
  typeof nodeFs,
  | 'openSync'
  | 'writeSync'
  | 'ftruncateSync'
  | 'fsync'
  | 'close'
  | 'readFileSync'
  | 'writeFileSync'
  | 'renameSync'
  | 'rmSync'
> &
  Pick<typeof nodeFs, 'readdirSync' | 'statSync' | 'existsSync'>;

export interface Segment {
  readonly number: number;
  readonly file: string;
  bytes: number;
}

interface Active extends Segment {
  readonly fd: number;
}

const segmentName = /^(\d{10})\.ndjson$/;
const nameOf = (number: number): string => `${String(number).padStart(10, '0')}.ndjson`;

/**
 * Lines on disk, oldest first, in files that are only appended to and removed whole. A line survives the death of the
 * process as soon as `append` returns, and that of the machine after the next `sync`. A process never appends to what
 * another left, so only the last line of a file can be torn; such a line is not read.
 */
export class SegmentBuffer {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #segmentBytes: number;
  readonly #disk: Disk;
  readonly #closed: Segment[];
  #active: Active | undefined;
  #next: number;

  constructor(folder: string, maxBytes: number, disk: Disk = nodeFs) {
    this.#folder = folder;
    this.#maxBytes = maxBytes;
    this.#segmentBytes = Math.min(262_144, Math.floor(maxBytes / 8));
    this.#disk = disk;
    this.#closed = segmentsIn(folder, disk);
    this.#next = (this.#closed.at(-1)?.number ?? 0) + 1;
  }

  get bytes(): number {
    return [...this.#closed, ...(this.#active ? [this.#active] : [])].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Adds a line. What had to go for it, oldest first, is handed to `giveUp` before it goes. Throws when the disk does. */
  append(line: string, giveUp: (lines: readonly string[]) => void): void {
    const data = Buffer.from(`${line}\n`);
    while (this.bytes + data.length > this.#maxBytes) {
      const segment = this.oldest();
      if (segment === undefined) break;
      giveUp(this.read(segment));
      this.remove(segment);
    }
    if (this.#active && this.#active.bytes + data.length > this.#segmentBytes) this.#end(this.#active);
    const active = (this.#active ??= this.#begin());
    let written = 0;
    try {
      written = this.#disk.writeSync(active.fd, data);
    } finally {
      // A full disk takes a part of the line.
      if (written < data.length) this.#disk.ftruncateSync(active.fd, active.bytes);
    }
    if (written < data.length) throw new Error('the disk is full');
    active.bytes += data.length;
  }

  /** The segment to send next; nothing is added to it any more. */
  oldest(): Segment | undefined {
    if (this.#closed.length === 0 && this.#active && this.#active.bytes > 0) this.#end(this.#active);
    return this.#closed[0];
  }

  /** The whole lines; what is no JSON, after a fault of the disk, is left out. */
  read(segment: Segment): string[] {
    const lines = this.#disk.readFileSync(segment.file, 'utf8').split('\n').slice(0, -1);
    return lines.filter(isJson);
  }

  remove(segment: Segment): void {
    this.#disk.rmSync(segment.file, { force: true });
    const at = this.#closed.indexOf(segment);
    if (at >= 0) this.#closed.splice(at, 1);
  }

  /** Takes over the segments of a folder that nobody uses any more, as the newest. */
  adopt(folder: string): void {
    for (const { file, bytes } of segmentsIn(folder, this.#disk)) {
      const number = this.#next++;
      const own = join(this.#folder, nameOf(number));
      this.#disk.renameSync(file, own);
      this.#closed.push({ number, file: own, bytes });
    }
  }

  /** Resolves when everything that was appended is safe from the death of the machine. */
  async sync(): Promise<void> {
    const fd = this.#active?.fd;
    if (fd !== undefined) await new Promise<void>((done) => this.#disk.fsync(fd, () => done()));
  }

  /** To be called once, at the end. */
  close(): void {
    if (this.#active) this.#end(this.#active);
  }

  #begin(): Active {
    const number = this.#next++;
    const file = join(this.#folder, nameOf(number));
    return { number, file, bytes: 0, fd: this.#disk.openSync(file, 'ax', 0o600) };
  }

  /** Not waited for: what a process does must not wait for the disk. */
  #end({ number, file, bytes, fd }: Active): void {
    this.#active = undefined;
    this.#closed.push({ number, file, bytes });
    this.#disk.fsync(fd, () => this.#disk.close(fd));
  }
}

function segmentsIn(folder: string, disk: Disk): Segment[] {
  const names = disk
    .readdirSync(folder)
    .filter((name) => segmentName.test(name))
    .sort();
  return names.map((name) => {
    const file = join(folder, name);
    return { number: Number(segmentName.exec(name)?.[1]), file, bytes: disk.statSync(file).size };
  });
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
