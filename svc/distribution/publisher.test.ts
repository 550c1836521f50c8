import { expect, test } from 'vitest';
import { world } from './fixtures/world.ts';
import type { Publication } from './publication.ts';
import { openPublisher } from './publisher.ts';
import { beginRun } from './store/state.ts';

const publication = (given: Partial<Publication>): Publication => ({
  objectKey: 'a',
  kind: 'day',
  region: 'DE',
  day: 1,
  contentHash: 'hash',
  signedBy: 'key',
  body: Buffer.from('a'),
  contentType: 'application/zip',
  immutable: true,
  ...given,
});

async function opened() {
  const w = await world();
  const publisher = await openPublisher(w.deps, await beginRun(w.deps.pool));
  return { ...w, publisher };
}

test('D row 41: oversize file, one too large artefact does not stop the others', async () => {
  const { publisher, store, log } = await opened();
  expect(await publisher.publish(publication({ objectKey: 'large', body: Buffer.alloc(16_000_001) }))).toBe(false);
  expect(await publisher.publish(publication({ objectKey: 'limit', body: Buffer.alloc(16_000_000) }))).toBe(true);
  expect([...store.objects().keys()]).toEqual(['limit']);
  expect(publisher.counts.failed).toBe(1);
  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: 'error', event: 'object-too-large', file: 'large', bytes: 16_000_001 }),
  );
});

test('D row 24: an object that stands in the store is recorded as it is, never overwritten, and a difference is told', async () => {
  const { publisher, store, log, deps } = await opened();
  const options = { contentType: 'application/zip', cacheControl: 'public', metadata: { 'cwa-hash': 'other' } };
  await store.put('a', Buffer.from('published before'), options);
  expect(await publisher.publish(publication({}))).toBe(true);
  expect(store.objects().get('a')?.body.toString()).toBe('published before');
  expect(publisher.counts).toMatchObject({ failed: 1, put: 0 });
  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: 'error', event: 'published-object-differs', file: 'a' }),
  );
  const again = await openPublisher(deps, 1);
  expect(again.inventory.get('a')).toMatchObject({ contentHash: 'other', etag: store.objects().get('a')?.etag });
});

test('decision 28: the store is never listed; deletions name exact keys', async () => {
  const w = await world({ start: '2020-09-12T22:05:00Z' });
  await w.run();
  await w.nextHour();
  w.clock.set('2020-09-14T00:05:00Z');
  await w.run();
  expect(w.store.requests.filter(({ operation }) => operation === 'list')).toEqual([]);
  const deleted = w.store.requests.flatMap(({ keys = [] }) => keys);
  expect(deleted).toContain('version/v1/diagnosis-keys/country/DE/date/2020-09-12/hour/22');
  expect(w.store.objects().has('version/v1/diagnosis-keys/country/DE/date/2020-09-12')).toBe(true);
});
