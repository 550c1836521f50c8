import { expect, test } from 'vitest';
import { memoryBlobStore } from '../../lib/testing/memory-blob-store.ts';
import { recordedMetrics } from '../../lib/testing/telemetry.ts';
import { countedStore } from './counted-store.ts';

const options = { contentType: 'text/plain', cacheControl: 'no-store' };

async function everyRequest(store: ReturnType<typeof memoryBlobStore>): Promise<PromiseSettledResult<unknown>[]> {
  return Promise.allSettled([
    store.put('a', Buffer.from('a'), options),
    store.get('a'),
    store.getIfChanged('a', '"x"'),
    store.head('a'),
    Array.fromAsync(store.list('')),
    store.delete(['a', 'b']),
  ]);
}

test('every request to the store is counted by operation, done or failed, and answered as before', async () => {
  const plain = memoryBlobStore();
  const metrics = recordedMetrics('distribution');
  const counted = { ...plain, ...countedStore(plain, metrics) };
  expect(await everyRequest(counted)).toEqual(await everyRequest(memoryBlobStore()));
  plain.failWhere(() => true);
  expect((await everyRequest(counted)).every(({ status }) => status === 'rejected')).toBe(true);
  for (const outcome of ['done', 'failed']) {
    const seen = (operation: string) =>
      metrics.seen('cwa.distribution.store.requests', { 'cwa.store.operation': operation, 'cwa.outcome': outcome });
    expect(await Promise.all(['put', 'get', 'head', 'list', 'delete'].map(seen)), outcome).toEqual([1, 2, 1, 1, 1]);
  }
});
