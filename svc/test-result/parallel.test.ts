import { expect, test } from 'vitest';
import { StoreResultStatus as Status } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { aCall } from '../../lib/testing/call.ts';
import { openPool } from '../../lib/db/pool.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { getReceipts } from './get-receipts.ts';
import { getResults } from './get-results.ts';
import { lookUpResult } from './look-up-result.ts';
import { anId, labA, pcr, pocNat, quick, startService } from './fixtures/start-service.ts';

const { STORE_RESULT_STATUS_STORED: STORED, STORE_RESULT_STATUS_UNCHANGED: UNCHANGED } = Status;

test('one list delivered by four workers at once, and again, is stored once; everything else is unchanged', async () => {
  const { anotherWorker, rowCount, receipts, pool } = await startService();
  const workers = Array.from({ length: 4 }, anotherWorker);
  const list = Array.from({ length: 2_000 }, (_, i) => ({ id: anId(i), result: 1 + (i % 3) }));
  for (let round = 0; round < 3; round++) {
    const outcomes = await Promise.all(
      workers.flatMap(({ store }, i) => [
        store(i % 2 ? list : list.toReversed(), { allOrNothing: true }),
        store(list.slice(i * 500, i * 500 + 500), { allOrNothing: false }),
      ]),
    );
    expect(outcomes.flat().filter((outcome) => outcome === STORED)).toHaveLength(round === 0 ? 2_000 : 0);
    expect(outcomes.flat().filter((outcome) => outcome === UNCHANGED)).toHaveLength(round === 0 ? 8_000 : 10_000);
  }
  expect(await rowCount('test_result')).toBe(2_000);
  expect((await pool.query('select result, count(*)::int as n from test_result group by 1 order by 1')).rows).toEqual([
    { result: 1, n: 667 },
    { result: 2, n: 667 },
    { result: 3, n: 666 },
  ]);
  const told = await receipts(list.map(({ id }) => id));
  expect(told.every((of) => of.map(({ status }) => status).join() === [STORED, UNCHANGED].join())).toBe(true);
  expect(await rowCount('receipt')).toBe(4_000);
  for (const worker of workers) await worker.close();
}, 60_000);

test('purging the table while the same lists come from several workers disturbs none of them', async () => {
  const { anotherWorker, rowCount, purge } = await startService();
  const workers = Array.from({ length: 3 }, anotherWorker);
  let delivering = true;
  const purging = (async () => {
    let times = 0;
    for (; delivering; times++) await purge();
    return times;
  })();
  const outcomes = [];
  for (let round = 0; round < 30; round++) {
    const list = Array.from({ length: 100 }, (_, i) => ({ id: anId(`${round} ${i}`), result: 1 }));
    outcomes.push(...(await Promise.all(workers.map(({ store }) => store(list, { allOrNothing: true })))).flat());
  }
  delivering = false;
  expect(await purging).toBeGreaterThan(1);
  expect(outcomes.filter((outcome) => outcome === STORED)).toHaveLength(3_000);
  expect(outcomes.filter((outcome) => outcome === UNCHANGED)).toHaveLength(6_000);
  expect(await rowCount('test_result')).toBe(3_000);
  for (const worker of workers) await worker.close();
}, 60_000);

test('lists that contradict each other, delivered at once, leave every result as one of them says', async () => {
  const { anotherWorker, pool, rowCount } = await startService();
  const workers = Array.from({ length: 4 }, anotherWorker);
  const ids = Array.from({ length: 500 }, (_, i) => anId(i));
  await Promise.all(
    workers.map(({ store }, i) =>
      store(
        (i % 2 ? ids : ids.toReversed()).map((id) => ({ id, result: 1 + (i % 3) })),
        { allOrNothing: true, labId: `lab-${i}` },
      ),
    ),
  );
  const { rows } = await pool.query('select distinct result, lab_id as "labId" from test_result');
  expect(rows, 'lists are atomic: the last one decides about all').toHaveLength(1);
  expect(await rowCount('test_result')).toBe(500);
  for (const worker of workers) await worker.close();
});

test('S row 61: reads never write: 10,000 unknown ids polled, looked up and asked for, on a database that refuses writes', async () => {
  const { deps, url, pool, store, rowCount } = await startService();
  await store([
    { id: anId('known'), result: 2 },
    { id: anId('bad'), result: 0 },
  ]);
  const snapshot = () => pool.query(`select t.*, t.xmin::text, t.ctid::text from test_result t`);
  const before = (await snapshot()).rows;
  const database = new URL(url).pathname.slice(1);
  await pool.query(`alter database "${database}" set default_transaction_read_only = on`);
  const counted = async () =>
    (
      await pool.query<{ reads: number; writes: number }>(
        `select sum(coalesce(idx_scan, 0) + seq_scan)::int as reads, sum(n_tup_ins + n_tup_upd + n_tup_del)::int as writes
         from pg_stat_user_tables where relname like 'test_result' or relname like 'receipt%'`,
      )
    ).rows[0] ?? { reads: 0, writes: 0 };
  // The counters of the connections so far must be in before those of the reads are compared with them.
  await expect.poll(async () => (await counted()).writes, { timeout: 15_000 }).toBe(3);
  const { reads } = await counted();

  const reader = openPool({ url, poolSize: 4, setting: 'TEST_DATABASE_URL' }, silentLog);
  const d = { ...deps, pool: reader };
  await expect(reader.query('delete from test_result')).rejects.toMatchObject({ code: '25006' });
  const ids = Array.from({ length: 10_000 }, (_, i) => anId(`unknown ${i}`));
  const { results } = await getResults(d)({ ids: [...ids.slice(1), anId('known')] }, aCall('verification'));
  expect(results.filter(({ found }) => found)).toHaveLength(1);
  for (let i = 0; i < 10_000; i += 100) {
    await Promise.all([
      getResults(d)({ ids: ids.slice(i, i + 100) }, aCall('verification')),
      lookUpResult(d)({ family: i % 200 ? quick : pocNat, id: ids[i] ?? '' }, aCall()),
      getReceipts(d)({ submitter: labA, family: pcr, ids: ids.slice(i, i + 100) }, aCall()),
    ]);
  }
  await reader.close();
  await expect.poll(async () => (await counted()).reads, { timeout: 15_000 }).toBeGreaterThan(reads + 200);
  expect((await counted()).writes).toBe(3);
  expect((await snapshot()).rows).toEqual(before);
  expect(await rowCount('receipt')).toBe(2);
}, 60_000);
