import { deepEqual, equal, ok } from 'node:assert/strict';
import { createHash } from 'node:crypto';

import type { BlobStore, PutOptions } from '../blob/blob.ts';

/** One promise of BlobStore. `at` is a prefix of its own, so that cases never meet. */
export interface BlobStoreCase {
  name: string;
  run(store: BlobStore, at: string): Promise<void>;
}

const zip: PutOptions = { contentType: 'application/zip', cacheControl: 'public,max-age=300' };

/** What every BlobStore must do; plain assertions, so that a test can also show that a faulty store fails. */
export const blobStoreCases: readonly BlobStoreCase[] = [
  {
    name: 'an object comes back byte for byte, with type, cache rule and time',
    async run(store, at) {
      const body = pattern(20_000);
      await store.put(`${at}/a`, body, zip);
      const blob = await store.get(`${at}/a`);
      ok(blob);
      ok(blob.body.equals(body));
      equal(blob.key, `${at}/a`);
      equal(blob.contentType, 'application/zip');
      equal(blob.cacheControl, 'public,max-age=300');
      ok(blob.lastModified.getTime() > Date.UTC(2020, 0));
    },
  },
  {
    name: 'an absent object is undefined for get, getIfChanged and head',
    async run(store, at) {
      equal(await store.get(`${at}/none`), undefined);
      equal(await store.getIfChanged(`${at}/none`, '"00000000000000000000000000000000"'), undefined);
      equal(await store.head(`${at}/none`), undefined);
    },
  },
  {
    name: 'the ETag is one quoted MD5, equal in put, get, head and list (D row 53)',
    async run(store, at) {
      const body = pattern(300);
      const put = await store.put(`${at}/a`, body, zip);
      const etag = `"${createHash('md5').update(body).digest('hex')}"`;
      deepEqual(put, { etag });
      equal((await store.get(`${at}/a`))?.etag, etag);
      equal((await store.head(`${at}/a`))?.etag, etag);
      deepEqual(await all(store, at), [{ key: `${at}/a`, etag, size: 300 }]);
    },
  },
  {
    name: 'getIfChanged: unchanged with the same ETag, the object with another (D row 53: If-None-Match gives 304)',
    async run(store, at) {
      const put = await store.put(`${at}/a`, pattern(10), zip);
      ok(put !== 'exists');
      equal(await store.getIfChanged(`${at}/a`, put.etag), 'unchanged');
      await store.put(`${at}/a`, pattern(11), zip);
      const changed = await store.getIfChanged(`${at}/a`, put.etag);
      ok(changed && changed !== 'unchanged' && changed.body.length === 11);
    },
  },
  {
    name: 'metadata makes the round trip in get and head, names in lower case (D row 31)',
    async run(store, at) {
      await store.put(`${at}/a`, pattern(1), {
        ...zip,
        metadata: { 'cwa-hash': 'b1946ac9', 'Second-Name': 'with spaces; and = signs' },
      });
      const metadata = { 'cwa-hash': 'b1946ac9', 'second-name': 'with spaces; and = signs' };
      deepEqual((await store.get(`${at}/a`))?.metadata, metadata);
      deepEqual((await store.head(`${at}/a`))?.metadata, metadata);
      await store.put(`${at}/a`, pattern(1), zip);
      deepEqual((await store.head(`${at}/a`))?.metadata, {});
    },
  },
  {
    name: 'head tells everything but the body',
    async run(store, at) {
      await store.put(`${at}/a`, pattern(77), { ...zip, metadata: { 'cwa-hash': 'x' } });
      const blob = await store.get(`${at}/a`);
      ok(blob);
      const { body: _, ...rest } = blob;
      deepEqual(await store.head(`${at}/a`), rest);
    },
  },
  {
    name: 'an object of 0 bytes is an object',
    async run(store, at) {
      ok((await store.put(`${at}/empty`, Buffer.alloc(0), zip)) !== 'exists');
      equal((await store.get(`${at}/empty`))?.body.length, 0);
      deepEqual(
        (await all(store, at)).map(({ size }) => size),
        [0],
      );
      equal(await store.put(`${at}/empty`, pattern(1), { ...zip, onlyIfAbsent: true }), 'exists');
    },
  },
  {
    name: 'an object whose name is also a prefix lives beside the objects under it (decision 28)',
    async run(store, at) {
      const keys = [
        `${at}/date`,
        `${at}/date/2020-06-11`,
        `${at}/date/2020-06-11/hour`,
        `${at}/date/2020-06-11/hour/1`,
      ];
      for (const order of [keys, keys.toReversed()]) {
        for (const [i, key] of order.entries()) await store.put(key, pattern(i + 1), zip);
        for (const [i, key] of order.entries()) equal((await store.get(key))?.body.length, i + 1);
        await store.delete([`${at}/date`]);
        equal(await store.get(`${at}/date`), undefined);
        ok(await store.get(`${at}/date/2020-06-11`));
        await store.delete(keys);
      }
    },
  },
  {
    name: 'put replaces an object as a whole',
    async run(store, at) {
      await store.put(`${at}/a`, pattern(500), { ...zip, metadata: { old: '1' } });
      await store.put(`${at}/a`, pattern(3), { contentType: 'application/json', cacheControl: 'no-store' });
      const blob = await store.get(`${at}/a`);
      ok(blob);
      equal(blob.body.length, 3);
      equal(blob.contentType, 'application/json');
      equal(blob.cacheControl, 'no-store');
    },
  },
  {
    name: 'onlyIfAbsent stores once and leaves the first object untouched (D row 24)',
    async run(store, at) {
      const first = await store.put(`${at}/a`, pattern(5), { ...zip, onlyIfAbsent: true });
      ok(first !== 'exists');
      equal(await store.put(`${at}/a`, pattern(6), { ...zip, onlyIfAbsent: true }), 'exists');
      equal((await store.head(`${at}/a`))?.etag, first.etag);
      equal((await store.get(`${at}/a`))?.body.length, 5);
    },
  },
  {
    name: 'of 20 conditional writes at once exactly one wins, and its bytes stay',
    async run(store, at) {
      for (let round = 0; round < 5; round++) {
        const key = `${at}/race/${round}`;
        const bodies = Array.from({ length: 20 }, (_, i) => Buffer.from(`writer ${i}`));
        const answers = await Promise.all(bodies.map((body) => store.put(key, body, { ...zip, onlyIfAbsent: true })));
        const winners = answers.flatMap((answer, i) => (answer === 'exists' ? [] : [i]));
        equal(winners.length, 1);
        equal((await store.get(key))?.body.toString(), `writer ${winners[0]}`);
      }
    },
  },
  {
    name: 'delete takes exact keys only: hour/1 stays apart from hour/10; absent keys and none at all are fine',
    async run(store, at) {
      for (const key of ['hour/1', 'hour/10', 'hour/11']) await store.put(`${at}/${key}`, pattern(1), zip);
      await store.delete([`${at}/hour/1`, `${at}/hour/2`]);
      await store.delete([]);
      deepEqual(
        (await all(store, at)).map(({ key }) => key),
        [`${at}/hour/10`, `${at}/hour/11`],
      );
    },
  },
  {
    name: 'a body of 5 MB comes back unharmed',
    async run(store, at) {
      const body = pattern(5 * 1024 * 1024 + 1);
      await store.put(`${at}/large`, body, zip);
      ok((await store.get(`${at}/large`))?.body.equals(body));
    },
  },
  {
    name: '50 puts and 50 gets in parallel keep apart',
    async run(store, at) {
      const sizes = Array.from({ length: 50 }, (_, i) => i * 997);
      await Promise.all(sizes.map((size, i) => store.put(`${at}/${i}`, pattern(size), zip)));
      const blobs = await Promise.all(sizes.map((_, i) => store.get(`${at}/${i}`)));
      deepEqual(
        blobs.map((blob) => blob?.body.length),
        sizes,
      );
    },
  },
  {
    name: '1,500 objects are listed once each, in byte order, over two pages, and deleted in two requests',
    async run(store, at) {
      const keys = Array.from({ length: 1500 }, (_, i) => `${at}/many/${i}`);
      for (let from = 0; from < keys.length; from += 50)
        await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, Buffer.from(key), zip)));
      await store.put(`${at}/many-more`, pattern(1), zip);
      const listed = await all(store, `${at}/many/`);
      deepEqual(
        listed.map(({ key }) => key),
        keys.toSorted(),
      );
      await store.delete(keys);
      deepEqual(
        (await all(store, `${at}/many`)).map(({ key }) => key),
        [`${at}/many-more`],
      );
    },
  },
  {
    name: 'keys with spaces, plus, percent, quotes, markup and letters beyond ASCII stay themselves',
    async run(store, at) {
      const keys = [
        'a b',
        'a+b',
        'a%2Fb',
        `a'"b`,
        'a<&>b',
        'ä/ö',
        '漢字',
        '😀',
        '\uff5e',
        '(!*~)',
        'a=b&c=d?e#f',
        'a..b/c',
      ].map((k) => `${at}/${k}`);
      for (const key of keys) await store.put(key, Buffer.from(key), zip);
      for (const key of keys) equal((await store.get(key))?.body.toString(), key);
      const inBytes = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      deepEqual(
        (await all(store, at)).map(({ key }) => key),
        inBytes,
      );
      await store.delete(keys);
      deepEqual(await all(store, at), []);
    },
  },
  {
    name: 'a list of a prefix that holds nothing ends at once',
    async run(store, at) {
      deepEqual(await all(store, `${at}/nothing`), []);
    },
  },
  {
    name: 'an aborted get rejects with the reason of the signal',
    async run(store, at) {
      const reason = new Error('no longer wanted');
      const answer = await store.get(`${at}/a`, AbortSignal.abort(reason)).catch((error: unknown) => error);
      equal(answer, reason);
    },
  },
];

/** Repeatable bytes without a short period. */
export function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7) & 0xff;
  return bytes;
}

async function all(store: BlobStore, prefix: string): Promise<{ key: string; etag: string; size: number }[]> {
  const found = [];
  for await (const entry of store.list(prefix)) found.push(entry);
  return found;
}
