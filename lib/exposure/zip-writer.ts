import { promisify } from 'node:util';
import { crc32, deflateRaw } from 'node:zlib';

interface ZipEntry {
  name: string;
  content: Uint8Array;
}

const deflate = promisify<Uint8Array, { level: number; memLevel: number }, Buffer>(deflateRaw);

/** 1980-01-01 in the packed form of DOS; earlier dates cannot be expressed in a ZIP. */
const DATE_1980 = 0x0021;
const VERSION_NEEDED = 10;
const MADE_BY_DOS = 20;
const DEFLATED = 8;

/**
 * A ZIP like the one jszip writes, header by header, whose entries are deflated by Node's thread pool: jszip deflates in
 * the calling thread, five times slower, and cannot take deflated data. Equal content gives equal bytes on one version
 * of Node.
 */
export async function writeZip(entries: readonly ZipEntry[]): Promise<Buffer> {
  const packed = await Promise.all(entries.map(({ content }) => deflate(content, { level: 6, memLevel: 9 })));
  const files: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [i, { name, content }] of entries.entries()) {
    const data = packed[i] as Buffer;
    const fields = sharedFields(name, crc32(content), data.length, content.length);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name, 'latin1')]);
    files.push(local, data);
    directory.push(centralHeader(name, fields, offset));
    offset += local.length + data.length;
  }
  const central = Buffer.concat(directory);
  return Buffer.concat([...files, central, endRecord(entries.length, central.length, offset)]);
}

/** The 26 octets that local and central headers have in common. */
function sharedFields(name: string, crc: number, packedOctets: number, octets: number): Buffer {
  const fields = Buffer.alloc(26);
  fields.writeUInt16LE(VERSION_NEEDED, 0);
  fields.writeUInt16LE(DEFLATED, 4);
  fields.writeUInt16LE(DATE_1980, 8);
  fields.writeUInt32LE(crc, 10);
  fields.writeUInt32LE(packedOctets, 14);
  fields.writeUInt32LE(octets, 18);
  fields.writeUInt16LE(name.length, 22);
  return fields;
}

function centralHeader(name: string, fields: Buffer, offset: number): Buffer {
  const signature = Buffer.from([0x50, 0x4b, 1, 2, MADE_BY_DOS, 0]);
  const tail = Buffer.alloc(14);
  tail.writeUInt32LE(offset, 10);
  return Buffer.concat([signature, fields, tail, Buffer.from(name, 'latin1')]);
}

function endRecord(entries: number, directoryOctets: number, directoryAt: number): Buffer {
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries, 8);
  end.writeUInt16LE(entries, 10);
  end.writeUInt32LE(directoryOctets, 12);
  end.writeUInt32LE(directoryAt, 16);
  return end;
}
