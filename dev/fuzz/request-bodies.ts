import fc from 'fast-check';
import { hostileBytes, strangeJson, strangeText } from './hostile.ts';
import { marker } from './target.ts';

/** Objects of these members, some of them broken, deep or not JSON at all. */
export function jsonBodies(members: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Uint8Array> {
  const object = fc.record({ ...members, requestPadding: strangeText, [marker]: strangeJson }, { requiredKeys: [] });
  const text = fc
    .oneof({ weight: 4, arbitrary: object }, { weight: 1, arbitrary: strangeJson })
    .map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 6, arbitrary: text.map((found) => Buffer.from(found)) },
    { weight: 2, arbitrary: text.chain((found) => hostileBytes([Buffer.from(found)])) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...['['.repeat(9_000), '{"a":'.repeat(1_900), '\ufeff{}', '{"key":1,"key":2}'].map((found) =>
          Buffer.from(found),
        ),
      ),
    },
  );
}

/** Messages bare, or in the frames of gRPC-web, sometimes with a wrong length or flag. */
export function rpcBodies(messages: readonly Uint8Array[], json: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const framed = fc
    .tuple(hostileBytes(messages), fc.constantFrom(0, 0, 0, 1, 2, 0x80), fc.constantFrom(0, 0, 0, 1, -1, 2 ** 31))
    .map(([message, flag, more]) => {
      const head = Buffer.alloc(5);
      head[0] = flag;
      head.writeUInt32BE((message.length + more) >>> 0, 1);
      return Buffer.concat([head, message]);
    });
  return fc.oneof(json, framed, hostileBytes(messages));
}
