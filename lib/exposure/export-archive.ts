import { crc32, inflateRawSync } from 'node:zlib';
import JSZip from 'jszip';
import { FormatError } from './format-error.ts';
import { type ArchiveEntry, readDirectory } from './zip-directory.ts';
import { writeZip } from './zip-writer.ts';

export interface ExportArchive {
  bin: Buffer;
  sig: Buffer;
}

/** Largest inflated entry that is read: the agreed maximum of 16 MB zipped holds about 30 MB of keys. */
const MAX_ENTRY_OCTETS = 64 * 1024 * 1024;

/** From here on jszip would hold up the calling thread for more than 90 ms. */
const LARGE_OCTETS = 1_000_000;

/** The fixed date of every entry; earlier ones cannot be expressed in a ZIP (stack 12). */
const ENTRY_DATE = new Date(Date.UTC(1980, 0, 1));

/**
 * Packs `export.bin` and `export.sig`, in this order, deflated, with sizes in the local headers and a fixed
 * date, so that equal content gives equal bytes (D 1.1).
 */
export async function packArchive(bin: Uint8Array, sig: Uint8Array): Promise<Buffer> {
  if (bin.length >= LARGE_OCTETS) {
    return writeZip([
      { name: 'export.bin', content: bin },
      { name: 'export.sig', content: sig },
    ]);
  }
  const zip = new JSZip();
  const entry = { date: ENTRY_DATE, createFolders: false };
  zip.file('export.bin', bin, entry);
  zip.file('export.sig', sig, entry);
  return zip.generateAsync({
    type: 'nodebuffer',
    compression: 'DEFLATE',
    compressionOptions: { level: 6 },
    streamFiles: false,
    platform: 'DOS',
  });
}

/**
 * Opens an archive as strictly as a phone must (P V-1): exactly `export.bin` and `export.sig`, each once, and
 * nothing hidden between them. Accepts data descriptors behind deflated entries and impossible dates.
 * The directory is checked here and not by jszip, which silently merges duplicates and cleans up names.
 * @throws FormatError naming what is wrong and the byte in the archive
 */
export async function openArchive(zip: Uint8Array): Promise<ExportArchive> {
  const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
  const entries = readDirectory(bytes);
  const content = (name: string): Buffer => inflate(bytes, entries.get(name) as ArchiveEntry);
  return { bin: content('export.bin'), sig: content('export.sig') };
}

function inflate(zip: Buffer, entry: ArchiveEntry): Buffer {
  if (entry.size > MAX_ENTRY_OCTETS) {
    throw new FormatError(
      'ARCHIVE_TOO_LARGE',
      entry.name,
      `claims ${entry.size} octets, at most ${MAX_ENTRY_OCTETS} are read`,
      entry.headerAt,
    );
  }
  const packed = zip.subarray(entry.dataAt, entry.dataAt + entry.packedSize);
  let content: Buffer;
  try {
    // The bound stops an entry that inflates to more than it claims.
    content = entry.deflated ? inflateRawSync(packed, { maxOutputLength: Math.max(1, entry.size) }) : packed;
  } catch (error) {
    throw new FormatError('ARCHIVE_ENTRY_DATA', entry.name, 'cannot be inflated to the size it claims', entry.dataAt, {
      cause: error,
    });
  }
  if (content.length !== entry.size) {
    throw new FormatError(
      'ARCHIVE_ENTRY_DATA',
      entry.name,
      `holds ${content.length} octets, its header says ${entry.size}`,
      entry.dataAt,
    );
  }
  if (crc32(content) !== entry.crc)
    throw new FormatError('ARCHIVE_ENTRY_DATA', entry.name, 'checksum differs', entry.dataAt);
  return content;
}
