import { expect, test } from 'vitest';
import { lockNotAvailable } from '../../lib/db/errors.ts';
import { hashText } from '../../lib/exposure/token-format.ts';
import { anId, day0, dayMs, labA, labB, pocNat, quick, startService } from './fixtures/start-service.ts';

test('S row 63: after 21 days a result is redeemed in its family, after 60 days gone, and 12 is 2 for phones', async () => {
  const { store, get, lookUp, expire, clock, rowCount } = await startService();
  await store([{ id: anId(1), result: 2 }]);
  await store([{ id: anId(2), result: 7 }], { family: quick });
  await store([{ id: anId(3), result: 12 }], { family: pocNat });
  const ids = [anId(1), hashText(anId(2)), hashText(anId(3))];
  const codes = async () => (await get(...ids)).map(({ found, code }) => (found ? code : undefined));
  expect(await codes()).toEqual([2, 7, 2]);

  clock.advance(21 * dayMs - 1);
  await expire();
  expect(await codes()).toEqual([2, 7, 2]);
  clock.advance(1);
  await expire();
  expect(await codes()).toEqual([4, 9, 4]);
  expect(await lookUp(pocNat, anId(3))).toEqual({ result: 14 });

  clock.set(day0 + 60 * dayMs - 1);
  await expire();
  expect(await rowCount('test_result')).toBe(3);
  clock.advance(1);
  await expire();
  expect(await rowCount('test_result')).toBe(0);
  expect(await codes()).toEqual([undefined, undefined, undefined]);
});

test('retention goes through more rows than fit one transaction, once, however many processes try', async () => {
  const { store, expire, clock, rowCount, pool } = await startService();
  for (const part of [0, 1]) {
    await store(Array.from({ length: 6_000 }, (_, i) => ({ id: anId(part * 6_000 + i), result: 2 })));
  }
  clock.advance(21 * dayMs);
  await Promise.all([expire(), expire(), expire()]);
  expect((await pool.query('select count(*)::int as n from test_result where result = 4')).rows).toEqual([
    { n: 12_000 },
  ]);
  clock.advance(40 * dayMs);
  await expire();
  expect(await rowCount('test_result')).toBe(0);
});

test('receipts live 14 days, the day of delivery included, then their day is dropped: tables, indexes and all', async () => {
  const { store, receipts, expire, clock, rowCount, pool } = await startService();
  const days = async () =>
    (
      await pool.query<{ name: string }>(
        `select relname as name from pg_class where relname like 'receipt\\_%' and relkind in ('r', 'i', 'p', 'I') order by 1`,
      )
    ).rows.map(({ name }) => name);
  const day = Math.floor(day0 / dayMs);
  const others = await days();

  await store([{ id: anId(1), result: 1 }]);
  clock.set((day + 1) * dayMs - 1);
  await store([{ id: anId(2), result: 1 }]);
  clock.set((day + 14) * dayMs - 1);
  await expire();
  expect((await receipts([anId(1), anId(2)])).map((list) => list.length)).toEqual([1, 1]);
  expect(await rowCount('receipt')).toBe(2);

  clock.advance(1);
  expect(await receipts([anId(1)]), 'past its term, though the job has not run yet').toEqual([[]]);
  await expire();
  expect(await rowCount('receipt')).toBe(0);
  expect((await days()).filter((name) => name.includes(String(day)))).toEqual([]);
  expect(await days()).toEqual(
    [...others, ...[day + 14, day + 15].flatMap((n) => [`receipt_${n}`, `receipt_${n}_pkey`])].sort(),
  );
});

test('midnight finds its day of receipts there, and a clock that jumps makes its own', async () => {
  const { store, expire, clock, receipts, pool } = await startService();
  await expire();
  expect(
    (await pool.query(`select to_regclass('receipt_${Math.floor(day0 / dayMs) + 1}') is null as missing`)).rows,
  ).toEqual([{ missing: false }]);
  clock.advance(100 * dayMs);
  await store([{ id: anId(1), result: 1 }]);
  expect((await receipts([anId(1)]))[0]).toHaveLength(1);
});

test('a delivery in progress is not made to wait for retention, which comes again', async () => {
  const { store, expire, clock, pool, rowCount } = await startService();
  await store([{ id: anId(1), result: 1 }]);
  clock.advance(20 * dayMs);
  await pool.withConnection(async (reader) => {
    await reader.query('begin');
    await reader.query('select count(*) from receipt');
    await expect(expire()).rejects.toMatchObject({ code: lockNotAvailable });
    await reader.query('commit');
  });
  await expire();
  expect(await rowCount('receipt')).toBe(0);
});

/** Every item that pages of the table and its indexes hold, dead or alive, as hex. */
const items = `
  with relation(name, kind) as (
    select c.relname, c.relkind from pg_class c where c.relname like 'test\\_result%' and c.relkind in ('r', 'i')
  )
  select encode(h.t_data, 'hex') as data from relation, generate_series(0, pg_relation_size(name::text) / 8192 - 1) page,
    lateral heap_page_items(get_raw_page(name::text, page::int)) h where kind = 'r' and h.t_data is not null
  union all
  select replace(b.data, ' ', '') from relation, generate_series(1, pg_relation_size(name::text) / 8192 - 1) page,
    lateral bt_page_items(name::text, page::int) b where kind = 'i'`;

test('after the term nothing is left: no dead row, no entry of an index, no line of the log', async () => {
  const { store, expire, purge, clock, pool, lines } = await startService();
  await pool.query('create extension pageinspect');
  const canaries = Array.from({ length: 300 }, (_, i) => anId(`canary ${i}`));
  const holds = async () => {
    const { rows } = await pool.query<{ data: string }>(items);
    const all = rows.map(({ data }) => data).join();
    return canaries.filter((id) => all.includes(Buffer.from(id).toString('hex'))).length;
  };
  await store(
    canaries.map((id) => ({ id, result: 2 })),
    { labId: 'canary-lab' },
  );
  clock.advance(30 * dayMs);
  await expire();
  await store(Array.from({ length: 300 }, (_, i) => ({ id: anId(i), result: 1 })));
  expect(await holds()).toBe(300);

  clock.advance(30 * dayMs);
  await expire();
  expect(await holds(), 'deleted, and still in pages').toBeGreaterThan(0);
  await purge();
  expect(await holds()).toBe(0);
  expect((await pool.query('select count(*)::int as n from test_result')).rows).toEqual([{ n: 300 }]);

  const told = lines.join('\n');
  expect(told).toContain('results-deleted');
  expect(told).toContain('results-purged');
  for (const secret of [...canaries, 'canary-lab', labA.toString('hex'), labB.toString('hex')]) {
    expect(told.includes(secret)).toBe(false);
  }
});

test('purging removes what an interrupted rebuild left, is done by one process at a time, and keeps the pool as it was', async () => {
  const { purge, lines, pool, store, rowCount } = await startService();
  await store([{ id: anId(1), result: 1 }]);
  await pool.query('create index test_result_pkey_ccnew on test_result (result_id)');
  const timeout = (await pool.query('show statement_timeout')).rows;
  await Promise.all([purge(), purge(), purge()]);
  expect(lines.filter((line) => line.includes('results-purged'))).not.toHaveLength(0);
  const { rows } = await pool.query<{ name: string; valid: boolean }>(
    `select indexrelid::regclass::text as name, indisvalid as valid from pg_index
     where indrelid = 'test_result'::regclass order by 1`,
  );
  expect(rows.filter(({ name }) => name.includes('pkey'))).toEqual([{ name: 'test_result_pkey', valid: true }]);
  for (let i = 0; i < 8; i++) expect((await pool.query('show statement_timeout')).rows).toEqual(timeout);
  await purge();
  expect(await store([{ id: anId(1), result: 1 }])).toEqual([2]);
  expect(await rowCount('test_result')).toBe(1);
});
