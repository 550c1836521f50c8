import { expect, test } from 'vitest';
import { type Frame, postgresFraming, tlsFraming } from './framing.ts';

/** However TCP cuts the stream. */
function cutInto(bytes: Buffer, size: number, feed: (chunk: Buffer) => Frame[]): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length; at += size) frames.push(...feed(bytes.subarray(at, at + size)));
  return frames;
}

const message = (type: string, body: string): Buffer => {
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([head, Buffer.from(body)]);
};

const record = (length: number): Buffer => {
  const bytes = Buffer.alloc(5 + length, 7);
  bytes.set([23, 3, 3]);
  bytes.writeUInt16BE(length, 3);
  return bytes;
};

test.each([1, 3, 100, 10_000])('TLS is cut into records, from chunks of %i bytes', (size) => {
  const bytes = Buffer.concat([record(17), record(0), record(300)]);
  const frames = cutInto(bytes, size, tlsFraming().requests);
  expect(frames.map((frame) => frame.bytes.length)).toEqual([22, 5, 305]);
  expect(Buffer.concat(frames.map((frame) => frame.bytes))).toEqual(bytes);
});

test.each([1, 7, 10_000])(
  'PostgreSQL is cut into exchanges that bear the name of their statement, from chunks of %i bytes',
  (size) => {
    const { requests, replies } = postgresFraming();
    const startup = Buffer.from([0, 0, 0, 9, 0, 3, 0, 0, 0]);
    const ready = message('Z', 'I');
    expect(cutInto(startup, size, requests)).toMatchObject([{ name: 'connect', counts: true }]);
    // The server waits for the password before it is ready: its question is an exchange of its own.
    expect(cutInto(message('R', 'password?'), size, replies)).toMatchObject([{ name: 'connect' }]);
    expect(cutInto(message('p', 'secret'), size, requests)).toMatchObject([{ name: 'connect' }]);
    const welcome = Buffer.concat([message('R', 'fine'), ready]);
    expect(cutInto(welcome, size, replies)).toMatchObject([{ name: 'connect' }, { name: 'connect' }]);

    const bind = Buffer.concat([message('B', '\0s1\0'), message('E', ''), message('S', '')]);
    const first = Buffer.concat([message('P', 's1\0insert into  t values (1)\0'), bind]);
    for (const request of [first, bind]) {
      expect(cutInto(request, size, requests)).toMatchObject([
        { bytes: request, name: 'insert into t values', counts: true },
      ]);
      const reply = Buffer.concat([message('C', 'INSERT'), ready]);
      expect(cutInto(reply, size, replies)).toMatchObject([
        { bytes: reply, name: 'insert into t values', counts: true },
      ]);
    }
    expect(cutInto(message('Q', 'select 1\0'), size, requests)).toMatchObject([{ counts: false }]);
    expect(cutInto(ready, size, replies)).toMatchObject([{ counts: false }]);
  },
);
