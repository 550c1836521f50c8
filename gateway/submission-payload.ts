import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** Fields of SubmissionPayload that go on (S 1.5); 2, the padding, and unknown ones end here. */
const kept = new Map<number, WireType>([
  [1, WireType.LengthDelimited],
  [3, WireType.LengthDelimited],
  [4, WireType.LengthDelimited],
  [5, WireType.Varint],
  [6, WireType.LengthDelimited],
  [7, WireType.Varint],
  [8, WireType.LengthDelimited],
]);

/**
 * The same payload without padding and unknown fields, octet for octet, or undefined when its outermost level is no
 * protobuf message. What the fields hold is submission's to judge: decoding 14 keys here only to encode them again
 * would cost more than all else that the gateway does for an upload.
 */
export function withoutPadding(payload: Uint8Array): Buffer | undefined {
  const parts: Uint8Array[] = [];
  const reader = new BinaryReader(payload);
  try {
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [field, type] = reader.tag();
      reader.skip(type, field);
      if (reader.pos > reader.len) return undefined;
      if (kept.get(field) === type) parts.push(payload.subarray(start, reader.pos));
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(parts);
}
