import { expect, test } from 'vitest';
import type { Queryable } from '../../lib/db/pool.ts';
import { fakeClock } from '../../lib/testing/clock.ts';
import { publishedDetails } from './published-details.ts';

const clock = fakeClock('2020-09-13T22:05:00Z');
const run = {
  started_at: clock.now(),
  duration_seconds: 1,
  outcome: 'done',
  packages: 2,
  objects_put: 6,
  objects_deleted: 0,
};

/** A database with one run and no package, until its next answer is another. */
function database() {
  const answers = (text: string): Promise<unknown> =>
    Promise.resolve({ rows: text.includes('from distribution_run') ? [run] : [], rowCount: 1 });
  const made = { answers };
  const pool: Queryable = { query: (text) => made.answers(text) as never };
  return { made, pool };
}

test('of a database that cannot be reached the last that was read is told, so that the process answers', async () => {
  const { made, pool } = database();
  const details = publishedDetails({ pool, clock });
  const before = await details();
  expect(before.runs).toMatchObject([{ startedAt: clock.now(), packages: 2 }]);
  made.answers = () => Promise.reject(new Error('connection refused'));
  expect(await details()).toEqual(before);
  expect(await publishedDetails({ pool, clock })()).toEqual({ runs: [], packages: [] });
});

test('of a database that does not answer the last that was read is told in time', async () => {
  const { made, pool } = database();
  const details = publishedDetails({ pool, clock });
  const before = await details();
  made.answers = () => new Promise(() => {});
  const answer = details();
  clock.advance(2_000);
  expect(await answer).toEqual(before);
});
