import type { BlobStore } from '../../lib/blob/blob.ts';
import type { AttributesOf } from '../../lib/telemetry/catalog/catalog.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';

type Operation = AttributesOf<'cwa.distribution.store.requests'>['cwa.store.operation'];

/** Counts requests by operation and outcome. A request that the client repeats by itself is one. */
export function countedStore(store: BlobStore, metrics: Metrics): BlobStore {
  const count = (operation: Operation, outcome: 'done' | 'failed'): void =>
    metrics.count('cwa.distribution.store.requests', { 'cwa.store.operation': operation, 'cwa.outcome': outcome });
  const counted = async <T>(operation: Operation, request: () => Promise<T>): Promise<T> => {
    let outcome: 'done' | 'failed' = 'failed';
    try {
      const answer = await request();
      outcome = 'done';
      return answer;
    } finally {
      count(operation, outcome);
    }
  };
  return {
    get: (key, signal) => counted('get', () => store.get(key, signal)),
    getIfChanged: (key, etag) => counted('get', () => store.getIfChanged(key, etag)),
    head: (key) => counted('head', () => store.head(key)),
    put: (key, body, options) => counted('put', () => store.put(key, body, options)),
    delete: (keys) => counted('delete', () => store.delete(keys)),
    async *list(prefix) {
      let outcome: 'done' | 'failed' = 'done';
      try {
        yield* store.list(prefix);
      } catch (error) {
        outcome = 'failed';
        throw error;
      } finally {
        count('list', outcome);
      }
    },
    close: () => store.close(),
  };
}
