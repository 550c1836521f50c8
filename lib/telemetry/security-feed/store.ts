import { type Disk, SegmentBuffer } from './buffer.ts';
import { eventsIn, isLossRecord, Losses, type LossReason, RefusedLines } from './losses.ts';
import type { SecurityRecord } from './record.ts';
import { Repeats, tellLeft } from './repeats.ts';
import { takeSlot, withLeftSlots } from './slot.ts';

export interface StoreOptions {
  readonly process: string;
  /** `SECURITY_FEED_BUFFER_DIR`. */
  readonly base: string;
  readonly maxBytes: number;
  readonly syncMs: number;
  readonly repeatsMs: number;
  readonly disk?: Disk;
  /** The record that tells of lost events. */
  readonly lossRecord: (reason: LossReason, lost: number) => SecurityRecord | undefined;
  readonly onLoss: (events: number) => void;
}

/** Everything of the feed that is on disk. */
export interface EventStore {
  readonly buffer: SegmentBuffer;
  /** Calls the listener after each line that was written from now on. */
  onWritten(listener: () => void): void;
  take(record: SecurityRecord): void;
  /** Puts a line away that the collector refuses for good. */
  setAside(line: string): void;
  /** Now that there is space: writes down what was lost. */
  tellLosses(): void;
  /** Tells what was counted until now. */
  endRepeats(): void;
  close(): Promise<void>;
}

export function openStore(options: StoreOptions): EventStore {
  const { disk } = options;
  const slot = takeSlot(options.base, options.process);
  const buffer = new SegmentBuffer(slot.folder, options.maxBytes, disk);
  const losses = new Losses(slot.folder, disk);
  const refused = new RefusedLines(slot.folder, options.maxBytes / 10);

  const lose = (reason: LossReason, events: number): void => {
    losses.add(reason, events);
    options.onLoss(events);
  };
  let written = (): void => {};
  let syncing: NodeJS.Timeout | undefined;
  const sync = async (): Promise<void> => {
    clearTimeout(syncing);
    syncing = undefined;
    try {
      repeats.store();
    } catch {
      // A full disk: counted in memory as long as the process lives.
    }
    await buffer.sync();
  };
  const syncSoon = (): void => {
    syncing ??= setTimeout(() => void sync(), options.syncMs).unref();
  };
  const write = (record: SecurityRecord): void => {
    try {
      buffer.append(JSON.stringify(record), (lines) => lose('buffer-full', eventsIn(lines)));
      syncSoon();
      written();
    } catch {
      lose('disk', record.count);
    }
  };
  const repeats = new Repeats({
    tell: write,
    windowMs: options.repeatsMs,
    folder: slot.folder,
    ...(disk ? { disk } : {}),
  });

  withLeftSlots(slot, (folder) => {
    buffer.adopt(folder);
    tellLeft(folder, write, disk);
    losses.adopt(folder);
  });

  return {
    buffer,
    onWritten(listener) {
      written = listener;
    },
    take(record) {
      repeats.take(record);
      syncSoon();
    },
    setAside(line) {
      refused.add(line);
      // A loss that cannot be told is not told of again, for ever.
      if (!isLossRecord(line)) lose('refused', eventsIn([line]));
    },
    tellLosses() {
      losses.told((reason, lost) => {
        const record = options.lossRecord(reason, lost);
        if (record !== undefined) write(record);
      });
    },
    endRepeats: () => repeats.close(),
    async close() {
      await sync();
      buffer.close();
      slot.release();
    },
  };
}
