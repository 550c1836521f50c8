import fc from 'fast-check';
import { marker } from './target.ts';

type Change =
  | { readonly kind: 'set'; readonly at: number; readonly value: number }
  | { readonly kind: 'cut'; readonly at: number; readonly to: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'repeat'; readonly at: number; readonly to: number; readonly times: number };

/** Octets that mean something in the formats we read: lengths, tags, line ends, brackets, ends of ranges. */
const telling = [0, 1, 0x0a, 0x0d, 0x20, 0x22, 0x2c, 0x5b, 0x7b, 0x7f, 0x80, 0xff];
const place = fc.double({ min: 0, max: 1, noNaN: true });
const octet = fc.oneof(fc.nat(255), fc.constantFrom(...telling));
const few = fc.oneof(fc.uint8Array({ maxLength: 12 }), fc.constant(new Uint8Array(Buffer.from(marker))));

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('set' as const), at: place, value: octet }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cut' as const), at: place, to: place }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('insert' as const), at: place, bytes: few }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('repeat' as const),
      at: place,
      to: place,
      times: fc.integer({ min: 1, max: 40 }),
    }),
  },
);

/** Good inputs with a few changes, and octets without any sense. Shrinks towards the good input. */
export function hostileBytes(goods: readonly Uint8Array[], maxRandom = 300): fc.Arbitrary<Buffer> {
  const changed = fc
    .tuple(fc.constantFrom(...goods), fc.array(change, { maxLength: 6 }))
    .map(([good, changes]) => changes.reduce(apply, Buffer.from(good)));
  const random = fc.uint8Array({ maxLength: maxRandom }).map((bytes) => Buffer.from(bytes));
  return fc.oneof({ weight: 5, arbitrary: changed }, { weight: 1, arbitrary: random });
}

/** The same for texts; what is no UTF-8 afterwards becomes the replacement character. */
export function hostileText(goods: readonly string[], maxRandom = 60): fc.Arbitrary<string> {
  return fc.oneof(
    {
      weight: 4,
      arbitrary: hostileBytes(
        goods.map((good) => Buffer.from(good)),
        maxRandom,
      ).map((bytes) => bytes.toString()),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: maxRandom }) },
    { weight: 1, arbitrary: strangeText },
  );
}

/** Texts that have broken servers before. */
export const strangeText = fc.constantFrom(
  '',
  marker,
  '\u0000',
  `\r\n${marker}: x\r\n`,
  `\${7*7}${marker}`,
  `#{7*7}${marker}`,
  `%s%n%x${marker}`,
  `'; drop table diagnosis_key; --${marker}`,
  '\ud800',
  '\u202e\u2066',
  '__proto__',
  'constructor',
  '9'.repeat(400),
  'A'.repeat(5_000),
  '-0',
  'NaN',
);

/** Any JSON value, often one of the kinds that type checks forget. */
export const strangeJson: fc.Arbitrary<unknown> = fc.oneof(
  strangeText,
  fc.constantFrom<unknown>(null, true, 0, -1, 0.5, 1e308, 2 ** 31, 2 ** 53, [], {}, [[]], [null], { __proto__: null }),
  fc.jsonValue({ maxDepth: 2 }),
);

/** Longest result of `apply`: the largest good inputs are a third of it. */
const longest = 300_000;

function apply(bytes: Buffer, change: Change): Buffer {
  const at = Math.floor(change.at * bytes.length);
  switch (change.kind) {
    case 'set': {
      if (bytes.length === 0) return bytes;
      const copy = Buffer.from(bytes);
      copy[Math.min(at, bytes.length - 1)] = change.value;
      return copy;
    }
    case 'cut': {
      const to = Math.floor(change.to * bytes.length);
      return Buffer.concat([bytes.subarray(0, Math.min(at, to)), bytes.subarray(Math.max(at, to))]);
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), change.bytes, bytes.subarray(at)]);
    case 'repeat': {
      const to = Math.floor(change.to * bytes.length);
      const part = bytes.subarray(Math.min(at, to), Math.max(at, to));
      const copies = Array.from({ length: change.times }, () => part);
      return Buffer.concat([bytes.subarray(0, at), ...copies, bytes.subarray(at)]).subarray(0, longest);
    }
  }
}
