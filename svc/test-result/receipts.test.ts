import { expect, test } from 'vitest';
import { StoreResultStatus as Status } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { hashText } from '../../lib/exposure/token-format.ts';
import { anId, day0, labA, labB, pcr, pocNat, quick, startService } from './fixtures/start-service.ts';

const {
  STORE_RESULT_STATUS_STORED: STORED,
  STORE_RESULT_STATUS_UNCHANGED: UNCHANGED,
  STORE_RESULT_STATUS_INVALID_ID: INVALID_ID,
  STORE_RESULT_STATUS_INVALID_RESULT: INVALID_RESULT,
  STORE_RESULT_STATUS_INVALID_SAMPLE_TIME: INVALID_SAMPLE_TIME,
  STORE_RESULT_STATUS_INVALID_LAB_ID: INVALID_LAB_ID,
  STORE_RESULT_STATUS_OTHER_FAMILY: OTHER_FAMILY,
  STORE_RESULT_STATUS_LIST_REFUSED: LIST_REFUSED,
} = Status;

const hourMs = 3_600_000;
const hour0 = day0 / hourMs;

test('every outcome leaves its receipt, with the hour of delivery', async () => {
  const { store, receipts } = await startService();
  await store([{ id: anId('rapid'), result: 6 }], { family: quick });
  const items = [
    { id: anId(1), result: 1 },
    { id: anId(1), result: 1 },
    { id: 'not an id', result: 1 },
    { id: anId(2), result: 4 },
    { id: anId(3), result: 1, sampleCollectedAt: BigInt(day0) },
    { id: hashText(anId('rapid')), result: 1 },
    { id: '', result: 1 },
  ];
  const outcomes = [STORED, UNCHANGED, INVALID_ID, INVALID_RESULT, INVALID_SAMPLE_TIME, OTHER_FAMILY, INVALID_ID];
  expect(await store(items)).toEqual(outcomes);
  const at = (...statuses: Status[]) => statuses.map((status) => ({ status, deliveryHour: hour0 }));
  expect(await receipts(items.map(({ id }) => id))).toEqual([
    at(STORED, UNCHANGED),
    at(STORED, UNCHANGED),
    at(INVALID_ID),
    at(INVALID_RESULT),
    at(INVALID_SAMPLE_TIME),
    at(OTHER_FAMILY),
    [],
  ]);
  expect(await receipts([anId('rapid')], labA, quick)).toEqual([at(STORED)]);
  expect(await receipts([anId(99), anId(1).toUpperCase()])).toEqual([[], at(STORED, UNCHANGED)]);
});

test('S row 64: a list that is refused whole stores nothing and leaves a receipt for each item', async () => {
  const { store, receipts, rowCount } = await startService();
  const ids = [anId(1), anId(2), anId(3)];
  const statuses = async () => (await receipts(ids)).map((list) => list.map(({ status }) => status));
  const list = [1, 9, 3].map((result, i) => ({ id: ids[i] ?? '', result }));
  await store(list, { allOrNothing: true });
  expect(await statuses()).toEqual([[LIST_REFUSED], [INVALID_RESULT], [LIST_REFUSED]]);
  await store(list, { allOrNothing: true, labIdRefused: true });
  expect(await statuses()).toEqual([
    [INVALID_LAB_ID, LIST_REFUSED],
    [INVALID_RESULT, INVALID_LAB_ID],
    [INVALID_LAB_ID, LIST_REFUSED],
  ]);
  expect(await rowCount('test_result')).toBe(0);
});

test('S row 62: an update after redeem is told as unchanged, and so is a list that came twice', async () => {
  const { store, receipts, clock, pool } = await startService();
  await store([{ id: anId(1), result: 2 }]);
  clock.advance(hourMs);
  await store([{ id: anId(1), result: 2 }]);
  clock.advance(hourMs);
  await pool.query('update test_result set result = 4');
  await store([{ id: anId(1), result: 1 }]);
  expect(await receipts([anId(1)])).toEqual([
    [
      { status: UNCHANGED, deliveryHour: hour0 + 2 },
      { status: UNCHANGED, deliveryHour: hour0 + 1 },
      { status: STORED, deliveryHour: hour0 },
    ],
  ]);
});

test('a partner finds its own receipts alone, those of the family it asks for', async () => {
  const { store, receipts } = await startService();
  await store([{ id: anId(1), result: 1 }]);
  expect(await receipts([anId(1)], labB)).toEqual([[]]);
  for (const family of [quick, pocNat]) expect(await receipts([anId(1)], labA, family)).toEqual([[]]);
  await store([{ id: anId(1), result: 1 }], { submitter: labB });
  expect((await receipts([anId(1)], labB))[0]).toMatchObject([{ status: UNCHANGED }]);
  expect((await receipts([anId(1)]))[0]).toMatchObject([{ status: STORED }]);
});

test('a receipt holds no id, no result, no partner and no labId', async () => {
  const { store, pool } = await startService();
  const guid = '1ea6ce8a-9740-41ea-bb37-0242ac130002';
  await store(
    [
      { id: anId(1), result: 2 },
      { id: guid, result: 2 },
    ],
    { labId: 'lab-1' },
  );
  const { rows } = await pool.query<{ row: string }>('select r::text as row from receipt r');
  expect(rows).toHaveLength(2);
  const told = rows.map(({ row }) => row.replaceAll('-', '')).join();
  for (const secret of [anId(1), hashText(anId(1)), guid, hashText(guid), labA.toString('hex')]) {
    expect(told).not.toContain(secret.replaceAll('-', '').slice(0, 16));
  }
  const { rows: columns } = await pool.query<{ name: string }>(
    `select attname as name from pg_attribute where attrelid = 'receipt'::regclass and attnum > 0 order by attnum`,
  );
  expect(columns.map(({ name }) => name)).toEqual(['receipt_id', 'delivery_hour', 'status']);
});

test('one that sends the same list all the time gets one receipt an hour, and the newest ten', async () => {
  const { store, receipts, clock, rowCount } = await startService();
  for (let hour = 0; hour < 12; hour++) {
    for (let i = 0; i < 3; i++) await store([{ id: anId(1), result: 9 }]);
    clock.advance(hourMs);
  }
  expect(await rowCount('receipt')).toBe(12);
  expect((await receipts([anId(1)]))[0]?.map(({ deliveryHour }) => deliveryHour - hour0)).toEqual([
    11, 10, 9, 8, 7, 6, 5, 4, 3, 2,
  ]);
});

test('a result that could not be stored has no receipt that says so', async () => {
  const { store, receipts, pool, rowCount } = await startService();
  await pool.query(`create function fail() returns trigger language plpgsql as 'begin raise exception ''full''; end'`);
  await pool.query('create trigger fail before insert on test_result for each row execute function fail()');
  await expect(store([{ id: anId(1), result: 1 }])).rejects.toThrow();
  expect(await receipts([anId(1)])).toEqual([[]]);
  await pool.query('drop trigger fail on test_result');
  await store([{ id: anId(1), result: 1 }]);
  expect([await rowCount('test_result'), await rowCount('receipt')]).toEqual([1, 1]);
});

test('10,000 receipts are answered at once; more, and a caller that is nobody, are INVALID_ARGUMENT', async () => {
  const { store, receipts } = await startService();
  const ids = Array.from({ length: 10_000 }, (_, i) => anId(i));
  await store(ids.map((id) => ({ id, result: 1 })));
  const found = await receipts(ids);
  expect(found.filter(([receipt]) => receipt?.status === STORED)).toHaveLength(10_000);
  const refused = { code: 'INVALID_ARGUMENT' };
  await expect(receipts([...ids, anId('more')])).rejects.toMatchObject(refused);
  await expect(receipts([anId(1)], Buffer.alloc(31))).rejects.toMatchObject(refused);
  await expect(receipts([anId(1)], labA, 0)).rejects.toMatchObject(refused);
  expect(await receipts([], labA, pcr)).toEqual([]);
});
