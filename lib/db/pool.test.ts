import { expect, test } from 'vitest';
import { silentLog } from '../telemetry/log.ts';
import { testDatabase } from '../testing/database.ts';
import { isDatabaseError, uniqueViolation } from './errors.ts';
import { openPool } from './pool.ts';
import { inTx } from './tx.ts';

test('a transaction is rolled back as a whole when its work throws', async () => {
  const { pool, rowCount } = await testDatabase('verification');
  await pool.query('create table t (n int primary key)');
  const failing = inTx(pool, 'insert-then-fail', async (tx) => {
    await tx.query('insert into t values ($1)', [1]);
    throw new Error('planned');
  });
  await expect(failing).rejects.toThrow('planned');
  expect(await rowCount('t')).toBe(0);
});

test('serializable rivals are retried until both have happened', async () => {
  const { pool, rowCount } = await testDatabase('verification');
  await pool.query('create table t (n int)');
  const countThenInsert = () =>
    inTx(
      pool,
      'count-then-insert',
      async (tx) => {
        const { rows } = await tx.query<{ n: number }>('select count(*) as n from t');
        await tx.query('insert into t values ($1)', [rows[0]?.n]);
      },
      { isolation: 'serializable', attempts: 20 },
    );
  await Promise.all(Array.from({ length: 6 }, countThenInsert));
  const { rows } = await pool.query<{ n: number }>('select n from t order by n');
  expect(rows.map((row) => row.n)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(await rowCount('t')).toBe(6);
});

test('a unique violation keeps its code and the connection stays usable', async () => {
  const { pool } = await testDatabase('verification');
  await pool.query('create table t (n int primary key)');
  await pool.query('insert into t values ($1)', [1]);
  const again = pool.query('insert into t values ($1)', [1]);
  await expect(again).rejects.toSatisfy((error: unknown) => isDatabaseError(error, uniqueViolation));
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a connection that cannot roll back never returns to the pool', async () => {
  const { pool } = await testDatabase('verification');
  await pool.query('create table t (n int)');
  const killed = inTx(pool, 'lose-the-connection', async (tx) => {
    await tx.query('insert into t values (1)');
    await tx.query('select pg_terminate_backend(pg_backend_pid())');
  });
  await expect(killed).rejects.toThrow();
  const { rows } = await pool.query<{ open: boolean }>(
    'select xact_start is not null and xact_start <> now() as open from pg_stat_activity where pid = pg_backend_pid()',
  );
  expect(rows).toEqual([{ open: false }]);
});

test('a reply that never comes fails its statement and gives the place in the pool back', async () => {
  const { url } = await testDatabase('verification');
  const pool = openPool({ url, poolSize: 1, setting: 'DATABASE_URL' }, silentLog, { replyTimeoutMs: 500 });
  await expect(pool.query('select pg_sleep(10)')).rejects.toThrow('Connection terminated');
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await expect(inTx(pool, 'sleep', (tx) => tx.query('select pg_sleep(10)'))).rejects.toThrow('Connection terminated');
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  const patient = pool.withConnection((connection) => connection.query('select pg_sleep(0.8)'), { endless: true });
  expect((await patient).rowCount).toBe(1);
  await pool.close();
});

test('locks of a client that fell silent inside a transaction end within seconds', async () => {
  const { pool } = await testDatabase('verification');
  const { rows } = await pool.query('show idle_in_transaction_session_timeout');
  expect(rows).toEqual([{ idle_in_transaction_session_timeout: '5s' }]);
});

test('statementLimitMs holds for every statement of its transaction and no longer', async () => {
  const { pool } = await testDatabase('verification');
  const limit = async (db: Pick<typeof pool, 'query'>) =>
    (await db.query<{ limit: string }>(`select current_setting('statement_timeout') as limit`)).rows[0]?.limit;
  expect(await inTx(pool, 'long', limit, { statementLimitMs: 300_000 })).toBe('5min');
  expect(await limit(pool)).toBe('20s');
  const slow = inTx(pool, 'short', (tx) => tx.query('select pg_sleep(5)'), { statementLimitMs: 50 });
  await expect(slow).rejects.toMatchObject({ code: '57014' });
});
