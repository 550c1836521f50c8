import { expect, test } from 'vitest';

import { memoryBlobStore } from './memory-blob-store.ts';

const options = { contentType: 'application/json', cacheControl: 'public,max-age=300' };
const body = Buffer.from('x');

test('requests are recorded in order, failed ones included', async () => {
  const store = memoryBlobStore();
  store.failRequest(2);

  await store.put('a', body, options);
  await expect(store.put('b', body, options)).rejects.toMatchObject({ reason: 'UNREACHABLE' });
  await store.delete(['a']);

  expect(store.requests.map(({ operation, key, keys }) => [operation, key, keys])).toEqual([
    ['put', 'a', undefined],
    ['put', 'b', undefined],
    ['delete', '', ['a']],
  ]);
});

test('a failure before leaves nothing, a failure after leaves the object', async () => {
  const store = memoryBlobStore();
  store.failRequest(1, { when: 'before' });
  store.failRequest(2, { when: 'after' });

  await expect(store.put('a', body, options)).rejects.toThrow('planned failure');
  await expect(store.put('b', body, options)).rejects.toThrow('planned failure');

  expect([...store.objects().keys()]).toEqual(['b']);
});

test('a failure for good is a killed process: everything after it fails until heal', async () => {
  const store = memoryBlobStore();
  store.failRequest(2, { forGood: true });

  await store.put('a', body, options);
  await expect(store.put('b', body, options)).rejects.toThrow();
  await expect(store.get('a')).rejects.toThrow();
  store.heal();

  expect(await store.get('a')).toMatchObject({ key: 'a' });
});

test('failRequest counts from now, and forgetRequests does not move it', async () => {
  const store = memoryBlobStore();
  await store.put('a', body, options);
  store.failRequest(1);
  store.forgetRequests();

  await expect(store.head('a')).rejects.toThrow();
  expect(store.requests).toHaveLength(1);
});

test('failWhere picks requests by what they ask', async () => {
  const store = memoryBlobStore();
  store.failWhere(({ operation, key }) => operation === 'put' && key.endsWith('/3'));

  await store.put('hour/2', body, options);
  await expect(store.put('hour/3', body, options)).rejects.toThrow();
  await expect(store.put('hour/3', body, options)).rejects.toThrow();

  expect([...store.objects().keys()]).toEqual(['hour/2']);
});

test('a list of more than 1,000 objects is more than one request, and so is a delete', async () => {
  const store = memoryBlobStore();
  const keys = Array.from({ length: 1001 }, (_, i) => `${i}`);
  for (const key of keys) await store.put(key, body, options);
  store.forgetRequests();

  const listed = [];
  for await (const { key } of store.list('')) listed.push(key);
  await store.delete(keys);

  expect(listed).toHaveLength(1001);
  expect(store.requests.map(({ operation }) => operation)).toEqual(['list', 'list', 'delete', 'delete']);
});

test('what a caller does to its bytes does not reach the store', async () => {
  const store = memoryBlobStore();
  const mine = Buffer.from('abc');
  await store.put('a', mine, options);
  mine.fill(0);
  (await store.get('a'))?.body.fill(0);

  expect((await store.get('a'))?.body.toString()).toBe('abc');
});
