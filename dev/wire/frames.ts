/** Frames of HTTP/2, made by hand: for what a client library would not send. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 0x1;
export const endHeaders = 0x4;

export const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export function frame(type: number, flags: number, streamId: number, payload: Uint8Array = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId >>> 0, 5);
  return Buffer.concat([head, payload]);
}

/** A header block of literals without indexing or Huffman code (RFC 7541, 6.2.2); texts up to 126 octets. */
export function headerBlock(headers: readonly (readonly [name: string, value: string])[]): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.of(value.length), Buffer.from(value, 'latin1')]);
  return Buffer.concat(headers.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

/** The head of a POST to `path`. */
export const postBlock = (path: string, more: readonly (readonly [string, string])[] = []): Buffer =>
  headerBlock([[':method', 'POST'], [':scheme', 'https'], [':authority', 'localhost'], [':path', path], ...more]);

/** What a client says first: the preface and empty settings. */
export const greeting = Buffer.concat([preface, frame(frameType.settings, 0, 0)]);
