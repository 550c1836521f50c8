import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { endHeaders, endStream, frame, frameType, greeting, headerBlock } from '../../wire/frames.ts';
import type { SampleRequest } from './surfaces.ts';

export type HttpVersion = 'HTTP/1.1' | 'HTTP/2';

/** What an observer of the line sees of one answer. */
export interface Seen {
  readonly status: number;
  /** From the moment the request was written to the first octets of the answer. */
  readonly ms: number;
  /** Encrypted octets from then to the end of the answer. */
  readonly octets: number;
}

/** One connection, one request at a time; requests are prepared before they are timed. */
export interface WireClient {
  prepare(request: SampleRequest): Buffer;
  send(prepared: Buffer): Promise<Seen>;
  close(): void;
}

export interface WireTarget {
  readonly port: number;
  readonly ca: string;
}

export async function openWireClient(version: HttpVersion, target: WireTarget): Promise<WireClient> {
  const line = connectTcp({ host: '127.0.0.1', port: target.port, noDelay: true });
  const alpn = version === 'HTTP/2' ? 'h2' : 'http/1.1';
  const socket = connectTls({ socket: line, ca: target.ca, servername: 'localhost', ALPNProtocols: [alpn] });
  await new Promise<void>((done, failed) => {
    socket.once('secureConnect', done);
    socket.once('error', failed);
  });
  const octetsSoFar = () => line.bytesRead;
  return version === 'HTTP/2' ? http2(socket, octetsSoFar) : http1(socket, octetsSoFar);
}

/** What is waiting for the answer; an answer is whole when `done` is called. */
interface Waiting {
  readonly sentAt: number;
  readonly octetsBefore: number;
  firstAt: number;
  resolve(seen: Seen): void;
}

function waiting(octetsSoFar: () => number, write: () => void): { wait: Waiting; seen: Promise<Seen> } {
  const { promise, resolve } = Promise.withResolvers<Seen>();
  const wait = { octetsBefore: octetsSoFar(), sentAt: performance.now(), firstAt: 0, resolve };
  write();
  return { wait, seen: promise };
}

function http1(socket: TLSSocket, octetsSoFar: () => number): WireClient {
  let current: Waiting | undefined;
  let received: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    if (current === undefined) return;
    current.firstAt ||= performance.now();
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    const end = received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = received.toString('latin1', 0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (received.length < end + 4 + length) return;
    received = Buffer.alloc(0);
    settle(current, Number(head.slice(9, 12)), octetsSoFar);
    current = undefined;
  });
  return {
    prepare({ path, headers, body }) {
      const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\n${lines}content-length: ${body.length}\r\n\r\n`;
      return Buffer.concat([Buffer.from(head, 'latin1'), body]);
    },
    send(prepared) {
      const { wait, seen } = waiting(octetsSoFar, () => socket.write(prepared));
      current = wait;
      return seen;
    },
    close: () => socket.destroy(),
  };
}

const frameHead = 9;
const largestWindow = 0x7fffffff - 65_535;

function http2(socket: TLSSocket, octetsSoFar: () => number): WireClient {
  let current: Waiting | undefined;
  let status = 0;
  let streamId = -1;
  let received: Buffer = Buffer.alloc(0);
  const window = Buffer.alloc(4);
  window.writeUInt32BE(largestWindow);
  socket.write(Buffer.concat([greeting, frame(frameType.windowUpdate, 0, 0, window)]));
  socket.on('data', (chunk: Buffer) => {
    const at = performance.now();
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    while (received.length >= frameHead) {
      const length = received.readUIntBE(0, 3);
      if (received.length < frameHead + length) return;
      const [type = 0, flags = 0] = received.subarray(3, 5);
      const payload = received.subarray(frameHead, frameHead + length);
      const stream = received.readUInt32BE(5);
      received = received.subarray(frameHead + length);
      if (stream === 0) control(type, flags, payload);
      else if (stream === streamId) ofStream(type, flags, payload, at);
    }
  });

  function control(type: number, flags: number, payload: Buffer): void {
    if (flags !== 0) return;
    if (type === frameType.settings) socket.write(frame(frameType.settings, 1, 0));
    if (type === frameType.ping) socket.write(frame(frameType.ping, 1, 0, payload));
  }

  function ofStream(type: number, flags: number, payload: Buffer, at: number): void {
    if (current === undefined) return;
    if (type === frameType.headers) {
      current.firstAt ||= at;
      status = statusOf(payload);
    }
    if (type !== frameType.rstStream && (flags & endStream) === 0) return;
    settle(current, type === frameType.rstStream ? 0 : status, octetsSoFar);
    current = undefined;
  }

  return {
    prepare({ path, headers, body }) {
      const block = headerBlock([
        [':method', 'POST'],
        [':scheme', 'https'],
        [':authority', 'localhost'],
        [':path', path],
        ...headers,
        ['content-length', String(body.length)],
      ]);
      const head = frame(frameType.headers, endHeaders, 0, block);
      return Buffer.concat([head, frame(frameType.data, endStream, 0, body)]);
    },
    send(prepared) {
      streamId = streamId < 0 ? 1 : streamId + 2;
      prepared.writeUInt32BE(streamId, 5);
      prepared.writeUInt32BE(streamId, frameHead + prepared.readUIntBE(0, 3) + 5);
      const { wait, seen } = waiting(octetsSoFar, () => socket.write(prepared));
      current = wait;
      return seen;
    },
    close: () => socket.destroy(),
  };
}

/** The gateway writes `:status` first, as a literal with an indexed name and Huffman code. */
function statusOf(block: Buffer): number {
  const start = block.toString('hex', 0, 4);
  return { '18821001': 200, '18821003': 201 }[start] ?? 0;
}

function settle(wait: Waiting, status: number, octetsSoFar: () => number): void {
  wait.resolve({ status, ms: wait.firstAt - wait.sentAt, octets: octetsSoFar() - wait.octetsBefore });
}
