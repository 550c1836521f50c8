import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ConfigError } from '../../process/config.ts';

/** A folder that one running process has for itself. */
export interface Slot {
  readonly folder: string;
  release(): void;
}

const setting = 'SECURITY_FEED_BUFFER_DIR';
const slots = 16;

/**
 * The first of `<base>/<process>/1` to `16` that no running process has, so that replicas may share one disk. Throws
 * ConfigError when all are taken or the folder cannot be used.
 */
export function takeSlot(base: string, process: string): Slot {
  const parent = join(base, process);
  for (let number = 1; number <= slots; number++) {
    const folder = join(parent, String(number));
    makeFolder(folder, base);
    const release = lock(folder);
    if (release !== undefined) return { folder, release };
  }
  throw new ConfigError([`${setting}: ${slots} processes already use ${parent}; give this one another folder`]);
}

/** Does `work` with each other folder of the process that somebody left behind, holding it meanwhile. */
export function withLeftSlots(slot: Slot, work: (folder: string) => void): void {
  const parent = dirname(slot.folder);
  for (const name of readdirSync(parent)) {
    const folder = join(parent, name);
    const release = folder === slot.folder ? undefined : lock(folder);
    if (release === undefined) continue;
    work(folder);
    release();
  }
}

/**
 * Not `recursive`: Node tries for ever where a folder cannot exist (/proc/x). What another process, starting in the same
 * moment, made meanwhile is as good as made here.
 */
function makeFolder(folder: string, base: string): void {
  for (const path of [base, dirname(folder), folder]) {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unusable(folder, error);
    }
  }
}

/**
 * SQLite for its lock alone: the kernel keeps it, between containers too, and frees it however the process ends. Undefined
 * when another process has it.
 */
function lock(folder: string): (() => void) | undefined {
  let file: DatabaseSync | undefined;
  try {
    file = new DatabaseSync(join(folder, 'lock'), { timeout: 0 });
    file.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    file?.close();
    if ((error as { errcode?: number }).errcode === sqliteBusy) return undefined;
    throw unusable(folder, error);
  }
  const held = file;
  return () => held.close();
}

const sqliteBusy = 5;

function unusable(folder: string, error: unknown): ConfigError {
  const code = (error as NodeJS.ErrnoException).code ?? 'error';
  return new ConfigError([`${setting}: the folder ${folder} cannot be used (${code})`]);
}
