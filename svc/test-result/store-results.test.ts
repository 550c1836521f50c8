import { expect, test } from 'vitest';
import {
  type LabResult,
  StoreResultStatus as Status,
  TestFamily,
} from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { hashText } from '../../lib/exposure/token-format.ts';
import { anId, day0, dayMs, pcr, pocNat, quick, startService } from './fixtures/start-service.ts';

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

const seconds = (ms: number): bigint => BigInt(Math.floor(ms / 1_000));

test('S row 60: PCR 0, 4, 10, quick test 4, 10 and PoC-NAT 9, 15 are refused, all codes between are stored', async () => {
  const { store, rowCount } = await startService();
  const codes = (family: TestFamily, from: number, to: number) =>
    store(
      Array.from({ length: to - from + 1 }, (_, i) => ({ id: anId(`${family} ${from + i}`), result: from + i })),
      { family },
    );
  expect(await codes(pcr, 0, 4)).toEqual([INVALID_RESULT, STORED, STORED, STORED, INVALID_RESULT]);
  expect(await codes(pcr, 10, 10)).toEqual([INVALID_RESULT]);
  expect(await codes(quick, 4, 10)).toEqual([INVALID_RESULT, STORED, STORED, STORED, STORED, STORED, INVALID_RESULT]);
  expect(await codes(pocNat, 9, 15)).toEqual([INVALID_RESULT, STORED, STORED, STORED, STORED, STORED, INVALID_RESULT]);
  expect(await rowCount('test_result')).toBe(13);
});

test('S row 61: an unknown id is pending and reading it writes nothing', async () => {
  const { get, lookUp, rowCount } = await startService();
  expect(await get(anId(1), 'not an id')).toEqual([
    { found: false, code: 0, sampleCollectedAt: 0 },
    { found: false, code: 0, sampleCollectedAt: 0 },
  ]);
  expect(await lookUp(quick, anId(1))).toEqual({ result: 5 });
  expect(await lookUp(pocNat, anId(1))).toEqual({ result: 10 });
  await expect(get(...Array<string>(10_001).fill(anId(1)))).rejects.toMatchObject({ reason: 'TOO_MANY_IDS' });
  expect(await rowCount('test_result')).toBe(0);
});

test.each([
  ['quick test', quick, 7, 7],
  ['PoC-NAT', pocNat, 12, 2],
])(
  'S row 61: %s look-up with plain id finds its upload, and so do the hashed id and the phone',
  async (_name, family, result, asPhone) => {
    const { store, lookUp, get } = await startService();
    await store([{ id: anId(1).toUpperCase(), result }], { family, labId: 'lab-1' });
    expect(await lookUp(family, anId(1))).toEqual({ result, labId: 'lab-1' });
    expect(await lookUp(family, hashText(anId(1)).toUpperCase())).toEqual({ result, labId: 'lab-1' });
    expect(await get(hashText(anId(1)))).toMatchObject([{ found: true, code: asPhone, labId: 'lab-1' }]);
    expect((await get(anId(1)))[0]?.found).toBe(false);
  },
);

test('where an id is also the hash of another one, a partner finds its own upload', async () => {
  const { store, lookUp } = await startService();
  for (const n of Array(5).keys()) {
    const plain = anId(`both ${n}`);
    await store([{ id: plain, result: 7 }], { family: quick });
    await store([{ id: hashText(plain), result: 6 }], { family: quick });
    expect(await lookUp(quick, hashText(plain))).toEqual({ result: 6 });
    expect(await lookUp(quick, plain)).toEqual({ result: 7 });
  }
});

test('a partner finds no result of another family, and PCR has no such look-up', async () => {
  const { store, lookUp } = await startService();
  await store([{ id: hashText(anId(1)), result: 2 }]);
  expect(await lookUp(quick, anId(1))).toEqual({ result: 5 });
  await expect(lookUp(pcr, anId(1))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  await expect(lookUp(quick, 'x')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', reason: 'INVALID_ID' });
});

test('ids are compared in lower case, the x of a hash with date of birth too', async () => {
  const { store, get } = await startService();
  const dob = `X${anId(2).slice(1).toUpperCase()}`;
  await store([
    { id: anId(1).toUpperCase(), result: 2 },
    { id: dob, result: 2 },
  ]);
  expect(await get(anId(1), dob.toLowerCase(), anId(1).toUpperCase())).toMatchObject([
    { code: 2 },
    { code: 2 },
    { code: 2 },
  ]);
});

test('S row 62: an update before redeem changes the result, after redeem it is ignored', async () => {
  const { store, get, pool } = await startService();
  const id = anId(1);
  expect(await store([{ id, result: 2 }])).toEqual([STORED]);
  expect(await store([{ id, result: 1 }])).toEqual([STORED]);
  expect(await get(id)).toMatchObject([{ code: 1 }]);
  await pool.query('update test_result set result = 4');
  expect(await store([{ id, result: 2 }])).toEqual([UNCHANGED]);
  expect(await get(id)).toMatchObject([{ code: 4 }]);
});

test.each([
  ['quick test', quick, 9, 7],
  ['PoC-NAT', pocNat, 14, 12],
])('%s: redeemed is final', async (_name, family, final, other) => {
  const { store, lookUp, lines } = await startService();
  expect(await store([{ id: anId(1), result: final }], { family })).toEqual([STORED]);
  expect(await store([{ id: anId(1), result: other }], { family })).toEqual([UNCHANGED]);
  expect(await lookUp(family, anId(1))).toEqual({ result: final });
  expect(lines.join()).toContain('delivery-after-final-result');
  expect(lines.join()).not.toContain(anId(1));
});

test('a result of another family is never overwritten', async () => {
  const { store, get } = await startService();
  await store([{ id: anId(1), result: 7 }], { family: quick });
  expect(
    await store([
      { id: hashText(anId(1)), result: 1 },
      { id: anId(2), result: 1 },
    ]),
  ).toEqual([OTHER_FAMILY, STORED]);
  expect(
    await store(
      [
        { id: hashText(anId(1)), result: 1 },
        { id: anId(3), result: 1 },
      ],
      { allOrNothing: true },
    ),
  ).toEqual([OTHER_FAMILY, LIST_REFUSED]);
  expect(await get(hashText(anId(1)), anId(2), anId(3))).toMatchObject([{ code: 7 }, { code: 1 }, { found: false }]);
});

test('S row 64: sc in ms, labId of 65 characters and a bad item in a list refuse the list, nothing is stored', async () => {
  const { store, rowCount } = await startService();
  const list = (item: LabResult, labId = 'l'.repeat(64)) =>
    store([{ id: anId(1), result: 1 }, item], { labId, allOrNothing: true });
  expect(await list({ id: anId(2), result: 1, sampleCollectedAt: BigInt(day0) })).toEqual([
    LIST_REFUSED,
    INVALID_SAMPLE_TIME,
  ]);
  expect(await list({ id: anId(2), result: 1 }, 'l'.repeat(65))).toEqual([INVALID_LAB_ID, INVALID_LAB_ID]);
  expect(await list({ id: anId(2), result: 9 })).toEqual([LIST_REFUSED, INVALID_RESULT]);
  expect(await list({ id: `g${anId(2).slice(1)}`, result: 1 })).toEqual([LIST_REFUSED, INVALID_ID]);
  expect(await rowCount('test_result')).toBe(0);
  expect(await list({ id: anId(2), result: 1 })).toEqual([STORED, STORED]);
});

test('row by row, a bad item does not keep the others from being stored', async () => {
  const { store, rowCount } = await startService();
  const outcomes = await store([
    { id: anId(1), result: 1 },
    { id: 'bad', result: 1 },
    { id: anId(3), result: 3 },
  ]);
  expect(outcomes).toEqual([STORED, INVALID_ID, STORED]);
  expect(await rowCount('test_result')).toBe(2);
});

test('the sample time lies between 90 days ago and tomorrow and is the sc of the phone; absent it is the delivery', async () => {
  const { store, get } = await startService();
  const at = (ms: number, n: number) => store([{ id: anId(n), result: 1, sampleCollectedAt: seconds(ms) }]);
  expect(await at(day0 - 90 * dayMs, 1)).toEqual([STORED]);
  expect(await at(day0 - 90 * dayMs - 1_000, 2)).toEqual([INVALID_SAMPLE_TIME]);
  expect(await at(day0 + dayMs, 3)).toEqual([STORED]);
  expect(await at(day0 + dayMs + 1_000, 4)).toEqual([INVALID_SAMPLE_TIME]);
  expect(await store([{ id: anId(5), result: 1, sampleCollectedAt: 2n ** 62n }])).toEqual([INVALID_SAMPLE_TIME]);
  await store([{ id: anId(6), result: 1 }]);
  expect((await get(anId(1), anId(6))).map((result) => result.sampleCollectedAt)).toEqual([
    Number(seconds(day0 - 90 * dayMs)),
    Number(seconds(day0)),
  ]);
});

test('a list that comes twice is unchanged the second time and keeps its times', async () => {
  const { store, get, clock } = await startService();
  const list: LabResult[] = [
    { id: anId(1), result: 1 },
    { id: anId(2), result: 2, sampleCollectedAt: seconds(day0 - dayMs) },
  ];
  await store(list, { labId: 'lab' });
  const first = await get(anId(1), anId(2));
  clock.advance(3_600_000);
  expect(await store(list, { labId: 'lab' })).toEqual([UNCHANGED, UNCHANGED]);
  expect(await get(anId(1), anId(2))).toEqual(first);
  expect(await store(list)).toEqual([STORED, STORED]);
  expect((await get(anId(1)))[0]?.labId).toBeUndefined();
});

test('one id several times in a list ends as if each item had come alone', async () => {
  const { store, get, rowCount } = await startService();
  const id = anId(1);
  expect(
    await store([
      { id, result: 1 },
      { id, result: 1 },
      { id: id.toUpperCase(), result: 2 },
    ]),
  ).toEqual([STORED, UNCHANGED, STORED]);
  expect(await get(id)).toMatchObject([{ code: 2 }]);
  expect(await rowCount('test_result')).toBe(1);
});

test('parallel lists over the same ids all end, each id once', async () => {
  const { store, rowCount } = await startService();
  const ids = Array.from({ length: 200 }, (_, i) => anId(i));
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) => store((n % 2 ? ids : ids.toReversed()).map((id) => ({ id, result: 1 })))),
  );
  expect(await rowCount('test_result')).toBe(200);
  expect(outcomes.flat().filter((outcome) => outcome === STORED)).toHaveLength(200);
  expect(outcomes.flat().filter((outcome) => outcome === UNCHANGED)).toHaveLength(3_800);
});

test('what no item can be blamed for is INVALID_ARGUMENT', async () => {
  const { store } = await startService();
  const item = { id: anId(1), result: 1 };
  const refused = { code: 'INVALID_ARGUMENT' };
  await expect(store([])).rejects.toMatchObject(refused);
  await expect(store(Array.from({ length: 10_001 }, () => item))).rejects.toMatchObject(refused);
  await expect(store([item], { family: TestFamily.TEST_FAMILY_UNSPECIFIED })).rejects.toMatchObject(refused);
  await expect(store([item], { submitter: Buffer.alloc(31) })).rejects.toMatchObject(refused);
  expect(await store(Array.from({ length: 10_000 }, (_, i) => ({ id: anId(i), result: 1 })))).toHaveLength(10_000);
});
