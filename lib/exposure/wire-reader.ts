import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { FormatError } from './format-error.ts';

/** Called once a field; must consume it. */
export type FieldVisitor = (reader: BinaryReader, field: number, type: WireType) => void;

/**
 * Walks a message that fills `bytes` from `start` to the end.
 * @throws FormatError naming `part` and the byte at which reading stopped
 */
export function readMessage(part: string, bytes: Uint8Array, start: number, visit: FieldVisitor): void {
  const reader = new BinaryReader(bytes);
  reader.pos = start;
  try {
    walk(reader, reader.len, visit);
  } catch (error) {
    const what = error instanceof Error ? error.message : 'unreadable';
    throw new FormatError('MESSAGE_MALFORMED', part, what, Math.min(reader.pos, reader.len), { cause: error });
  }
}

/** Walks a message inside a message; the reader stands behind its tag. */
export function readInner(reader: BinaryReader, type: WireType, visit: FieldVisitor): void {
  require(type, WireType.LengthDelimited);
  const length = reader.uint32();
  const end = reader.pos + length;
  if (end > reader.len) throw new RangeError(`a field of ${length} octets reaches beyond the end`);
  walk(reader, end, visit);
}

export function readText(reader: BinaryReader, type: WireType): string {
  require(type, WireType.LengthDelimited);
  return reader.string();
}

/** A view into the message, not a copy. */
export function readOctets(reader: BinaryReader, type: WireType): Buffer {
  require(type, WireType.LengthDelimited);
  const octets = reader.bytes();
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength);
}

export function readInt32(reader: BinaryReader, type: WireType): number {
  require(type, WireType.Varint);
  return reader.int32();
}

export function readSint32(reader: BinaryReader, type: WireType): number {
  require(type, WireType.Varint);
  return reader.sint32();
}

/** As a number: exact up to 2^53, far beyond any date. */
export function readFixed64(reader: BinaryReader, type: WireType): number {
  require(type, WireType.Bit64);
  if (reader.pos + 8 > reader.len) throw new RangeError('a number of 8 octets reaches beyond the end');
  return Number(reader.fixed64());
}

function walk(reader: BinaryReader, end: number, visit: FieldVisitor): void {
  while (reader.pos < end) {
    const [field, type] = reader.tag();
    visit(reader, field, type);
  }
  if (reader.pos !== end) throw new RangeError('a field reaches beyond its message');
}

function require(type: WireType, expected: WireType): void {
  if (type !== expected) throw new TypeError(`wire type ${type} where ${expected} belongs`);
}
