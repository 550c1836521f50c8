import { FormatError, type FormatReason } from './format-error.ts';

export interface ArchiveEntry {
  name: string;
  headerAt: number;
  dataAt: number;
  packedSize: number;
  size: number;
  crc: number;
  deflated: boolean;
}

interface CentralEntry extends Omit<ArchiveEntry, 'dataAt'> {
  at: number;
  flags: number;
  method: number;
}

const END_OCTETS = 22;
const CENTRAL_OCTETS = 46;
const LOCAL_OCTETS = 30;
const ENCRYPTED = 0x0001;
const DATA_DESCRIPTOR = 0x0008;
const NAMES = ['export.bin', 'export.sig'] as const;

/**
 * The two entries of an export archive, after checking that central directory and local headers agree and
 * that the entries fill the archive without a gap: phones read the local headers one after the other, so an
 * entry that only one of the two ways of reading sees would be two archives in one file.
 */
export function readDirectory(zip: Buffer): Map<string, ArchiveEntry> {
  const end = findEnd(zip);
  const count = zip.readUInt16LE(end + 10);
  const size = zip.readUInt32LE(end + 12);
  const start = zip.readUInt32LE(end + 16);
  if (zip.readUInt16LE(end + 4) !== 0 || zip.readUInt16LE(end + 6) !== 0 || zip.readUInt16LE(end + 8) !== count) {
    fail('ARCHIVE_UNREADABLE', 'spans several files', end);
  }
  if (start + size !== end) fail('ARCHIVE_UNREADABLE', 'the directory does not end where the end record starts', end);
  const entries = readCentral(zip, start, end, count);
  assertNames(entries);
  return followLocal(zip, entries, start);
}

function findEnd(zip: Buffer): number {
  for (let at = zip.length - END_OCTETS; at >= 0 && at >= zip.length - END_OCTETS - 0xffff; at--) {
    if (zip.readUInt32LE(at) === 0x06054b50 && zip.readUInt16LE(at + 20) === zip.length - at - END_OCTETS) return at;
  }
  return fail('ARCHIVE_UNREADABLE', 'is not a ZIP archive or is cut off: no end record', zip.length);
}

function readCentral(zip: Buffer, start: number, end: number, count: number): CentralEntry[] {
  const entries: CentralEntry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + CENTRAL_OCTETS > end || zip.readUInt32LE(at) !== 0x02014b50) {
      fail('ARCHIVE_UNREADABLE', `entry ${i + 1} of the directory is missing`, at);
    }
    const nameLength = zip.readUInt16LE(at + 28);
    const next = at + CENTRAL_OCTETS + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
    if (next > end) fail('ARCHIVE_UNREADABLE', `entry ${i + 1} of the directory is cut off`, at);
    entries.push({
      at,
      flags: zip.readUInt16LE(at + 8),
      method: zip.readUInt16LE(at + 10),
      deflated: zip.readUInt16LE(at + 10) === 8,
      crc: zip.readUInt32LE(at + 16),
      packedSize: zip.readUInt32LE(at + 20),
      size: zip.readUInt32LE(at + 24),
      headerAt: zip.readUInt32LE(at + 42),
      name: zip.toString('latin1', at + CENTRAL_OCTETS, at + CENTRAL_OCTETS + nameLength),
    });
    at = next;
  }
  if (at !== end) fail('ARCHIVE_UNREADABLE', 'there is something between the directory and the end record', at);
  return entries;
}

function assertNames(entries: readonly CentralEntry[]): void {
  const seen = new Set<string>();
  for (const { name, at } of entries) {
    if (name.split(/[/\\]/).includes('..')) fail('ARCHIVE_ENTRY_NAME', 'an entry name has the path element ".."', at);
    if (!(NAMES as readonly string[]).includes(name)) {
      fail('ARCHIVE_ENTRY_EXTRA', 'there is an entry that is neither export.bin nor export.sig', at);
    }
    if (seen.has(name)) fail('ARCHIVE_ENTRY_DUPLICATE', `${name} is there twice`, at);
    seen.add(name);
  }
  for (const name of NAMES) if (!seen.has(name)) fail('ARCHIVE_ENTRY_MISSING', `${name} is missing`);
}

function followLocal(zip: Buffer, central: readonly CentralEntry[], directoryAt: number): Map<string, ArchiveEntry> {
  const entries = new Map<string, ArchiveEntry>();
  let at = 0;
  for (const entry of [...central].sort((a, b) => a.headerAt - b.headerAt)) {
    if (entry.headerAt !== at) {
      fail(
        'ARCHIVE_ENTRY_HEADER',
        `${entry.name} does not start where the entry before it ends`,
        Math.min(at, entry.headerAt),
      );
    }
    const dataAt = checkLocal(zip, entry, directoryAt);
    at = dataAt + entry.packedSize;
    if (at > directoryAt) fail('ARCHIVE_ENTRY_DATA', `${entry.name} reaches into the directory`, dataAt);
    if ((entry.flags & DATA_DESCRIPTOR) !== 0) at = skipDescriptor(zip, entry, at, directoryAt);
    entries.set(entry.name, { ...entry, dataAt });
  }
  if (at !== directoryAt)
    fail('ARCHIVE_ENTRY_EXTRA', 'there is something between the last entry and the directory', at);
  return entries;
}

/** Returns where the data starts. */
function checkLocal(zip: Buffer, entry: CentralEntry, directoryAt: number): number {
  const at = entry.headerAt;
  const wrong = (what: string): never => fail('ARCHIVE_ENTRY_HEADER', `${entry.name} ${what}`, at);
  if (at + LOCAL_OCTETS > directoryAt || zip.readUInt32LE(at) !== 0x04034b50) wrong('has no local header');
  const flags = zip.readUInt16LE(at + 6);
  const nameLength = zip.readUInt16LE(at + 26);
  const dataAt = at + LOCAL_OCTETS + nameLength + zip.readUInt16LE(at + 28);
  if (dataAt > directoryAt) wrong('has a local header that reaches into the directory');
  if (zip.toString('latin1', at + LOCAL_OCTETS, at + LOCAL_OCTETS + nameLength) !== entry.name) {
    wrong('has another name in its local header');
  }
  if ((flags & ENCRYPTED) !== 0 || (entry.flags & ENCRYPTED) !== 0) wrong('is encrypted');
  if (entry.method !== 0 && entry.method !== 8) wrong(`is packed by method ${entry.method}, only 0 and 8 can be read`);
  if (zip.readUInt16LE(at + 8) !== entry.method) wrong('is packed otherwise by its local header');
  const described = (flags & DATA_DESCRIPTOR) !== 0;
  if (described !== ((entry.flags & DATA_DESCRIPTOR) !== 0)) wrong('has other flags in its local header');
  // A phone reads the archive as a stream and cannot know where such an entry ends (D 1.1).
  if (described && entry.method === 0) wrong('is stored, but its size comes only after it');
  const sizes = [zip.readUInt32LE(at + 14), zip.readUInt32LE(at + 18), zip.readUInt32LE(at + 22)];
  const known = [entry.crc, entry.packedSize, entry.size];
  if (!sizes.every((value, i) => value === known[i] || (described && value === 0))) {
    wrong('has other sizes or another checksum in its local header');
  }
  if (entry.method === 0 && entry.size !== entry.packedSize) wrong('is stored with two different sizes');
  return dataAt;
}

/** A descriptor is checksum and two sizes, with or without a signature in front. Returns where it ends. */
function skipDescriptor(zip: Buffer, entry: CentralEntry, at: number, directoryAt: number): number {
  for (const skip of [4, 0]) {
    const from = at + skip;
    if (from + 12 > directoryAt || (skip === 4 && zip.readUInt32LE(at) !== 0x08074b50)) continue;
    const equal =
      zip.readUInt32LE(from) === entry.crc &&
      zip.readUInt32LE(from + 4) === entry.packedSize &&
      zip.readUInt32LE(from + 8) === entry.size;
    if (equal) return from + 12;
  }
  return fail('ARCHIVE_ENTRY_HEADER', `${entry.name} has no fitting data descriptor behind its data`, at);
}

function fail(reason: FormatReason, what: string, offset?: number): never {
  throw new FormatError(reason, 'archive', what, offset);
}
