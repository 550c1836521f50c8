import { inflateRawSync } from 'node:zlib';

/**
 * Key bytes in hex of a published archive, found without any code of the exporter: local ZIP header, then protobuf
 * fields by number (Apple/Google "Exposure Key export file format": keys = 7, key_data = 1).
 */
export function keysOfArchive(zip: Buffer): string[] {
  if (zip.readUInt32LE(0) !== 0x04034b50) throw new Error('not a ZIP archive');
  const from = 30 + zip.readUInt16LE(26) + zip.readUInt16LE(28);
  if (zip.toString('latin1', 30, 40) !== 'export.bin') throw new Error('export.bin is not the first entry');
  const file = inflateRawSync(zip.subarray(from, from + zip.readUInt32LE(18)));
  if (file.toString('latin1', 0, 16) !== 'EK Export v1    ') throw new Error('the header is missing');
  const keys: string[] = [];
  for (const [number, key] of fieldsOf(file.subarray(16))) {
    if (number !== 7) continue;
    for (const [inner, data] of fieldsOf(key)) if (inner === 1) keys.push(data.toString('hex'));
  }
  return keys;
}

/** Length-delimited fields; numbers are passed over. */
function* fieldsOf(message: Buffer): Generator<[number: number, content: Buffer]> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const octet = message[at++] ?? 0;
      value += (octet & 0x7f) * 2 ** shift;
      if (octet < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const octets = varint();
      yield [tag >>> 3, message.subarray(at, at + octets)];
      at += octets;
    } else throw new Error(`wire type ${wire} cannot be passed over`);
  }
}
