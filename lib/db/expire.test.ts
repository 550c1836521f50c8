import { expect, test } from 'vitest';
import { testDatabase } from '../testing/database.ts';
import { type Expiring, expireInPortions } from './expire.ts';
import type { Pool } from './pool.ts';

/** Ends as many rows as it is told to, call after call. */
function expiring(counts: readonly number[]) {
  const limits: number[] = [];
  const kind: Expiring = {
    transaction: 'expire',
    end: async (_tx, limit) => counts[limits.push(limit) - 1] ?? 0,
  };
  return { kind, limits };
}

test('each kind is ended in portions until one is not full, then the next', async () => {
  const { pool } = await testDatabase('test-result');
  const [first, second] = [expiring([5_000, 5_000, 4_999]), expiring([7])];
  expect(await expireInPortions(pool, [first.kind, second.kind])).toEqual([14_999, 7]);
  expect([first.limits, second.limits]).toEqual([[5_000, 5_000, 5_000], [5_000]]);
});

test('whoever finds another process at it leaves everything else to that one', async () => {
  const { pool } = await testDatabase('test-result');
  let transactions = 0;
  const rivalDuringTheSecond: Pool = {
    ...pool,
    withConnection: (use, options) => {
      const work = () => pool.withConnection(use, options);
      return ++transactions === 2
        ? pool.withConnection(async (rival) => {
            await rival.query(`select pg_advisory_lock(hashtext('retention'))`);
            return work().finally(() => rival.query(`select pg_advisory_unlock(hashtext('retention'))`));
          })
        : work();
    },
  };
  const [first, second] = [expiring([5_000, 5_000]), expiring([7])];
  expect(await expireInPortions(rivalDuringTheSecond, [first.kind, second.kind])).toEqual([5_000, 0]);
  expect([first.limits, second.limits]).toEqual([[5_000], []]);
  // The lock went with the transactions: the other one goes on to the end.
  expect(await expireInPortions(pool, [first.kind, second.kind])).toEqual([5_000, 7]);
});
