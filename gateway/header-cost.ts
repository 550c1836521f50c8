import { STATUS_CODES } from 'node:http';

/** Huffman code lengths in bits of the characters from space to tilde (RFC 7541, appendix B). */
const bits = [
  '6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6', // space to /
  '5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10', // 0 to ?
  '13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7', // @ to O
  '7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6', // P to _
  '15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5', // ` to o
  '6 7 6 5 5 6 7 7 7 7 7 15 11 14 13', // p to ~
].flatMap((row) => row.split(' ').map(Number));

/** Places in HPACK's static table of the names that phone answers use (RFC 7541, appendix A). */
const staticNames = new Map([
  [':status', 8],
  ['allow', 22],
  ['cache-control', 24],
  ['content-length', 28],
  ['content-type', 31],
  ['date', 33],
  ['retry-after', 53],
]);

/** Octets of a header in an HTTP/1.1 block: name, colon, space, value, line end. */
export const http1Cost = (name: string, value: string): number => name.length + value.length + 4;

/** Octets of `HTTP/1.1 200 OK` and its line end. */
export const statusLineCost = (status: number): number => `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`.length;

/**
 * Octets of a header in an HTTP/2 block when it is sent as a never-indexed literal: then no header's size depends on
 * what the connection carried before (RFC 7541, 6.2.3).
 */
export function http2Cost(name: string, value: string): number {
  const index = staticNames.get(name);
  const nameCost = index === undefined ? 1 + textCost(name) : index < 15 ? 1 : 2;
  return nameCost + textCost(value);
}

/** Octets of a literal string with its length: Huffman when that is shorter, as nghttp2 does it. */
function textCost(text: string): number {
  const length = Math.min(huffmanCost(text), text.length);
  return length + (length < 127 ? 1 : length < 255 ? 2 : 3);
}

function huffmanCost(text: string): number {
  let sum = 0;
  for (let i = 0; i < text.length; i++) sum += bits[text.charCodeAt(i) - 32] ?? 30;
  return Math.ceil(sum / 8);
}
