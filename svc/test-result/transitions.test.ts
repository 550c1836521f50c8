import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type LabResult,
  StoreResultStatus as Status,
  type TestFamily,
} from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { hashText } from '../../lib/exposure/token-format.ts';
import { anId, dayMs, pcr, pocNat, quick, startService } from './fixtures/start-service.ts';

const {
  STORE_RESULT_STATUS_STORED: STORED,
  STORE_RESULT_STATUS_UNCHANGED: UNCHANGED,
  STORE_RESULT_STATUS_INVALID_ID: INVALID_ID,
  STORE_RESULT_STATUS_INVALID_RESULT: INVALID_RESULT,
  STORE_RESULT_STATUS_INVALID_LAB_ID: INVALID_LAB_ID,
  STORE_RESULT_STATUS_OTHER_FAMILY: OTHER_FAMILY,
  STORE_RESULT_STATUS_LIST_REFUSED: LIST_REFUSED,
} = Status;

const families = [pcr, quick, pocNat];
const deliverable = { [pcr]: [1, 2, 3], [quick]: [5, 6, 7, 8, 9], [pocNat]: [10, 11, 12, 13, 14] } as Record<
  number,
  number[]
>;
const redeemed = { [pcr]: 4, [quick]: 9, [pocNat]: 14 } as Record<number, number>;

interface State {
  readonly family: TestFamily;
  readonly result: number;
}

/** S 3.3 and 3.4 [D] in the words of the contract; the code decides by lists, this one delivery at a time. */
function expected(state: State | undefined, family: TestFamily, result: number): [Status, State | undefined] {
  if (!deliverable[family]?.includes(result)) return [INVALID_RESULT, state];
  if (state === undefined) return [STORED, { family, result }];
  if (state.family !== family) return [OTHER_FAMILY, state];
  if (state.result === redeemed[family]) return [UNCHANGED, state];
  return state.result === result ? [UNCHANGED, state] : [STORED, { family, result }];
}

/** The id under which a partner of the family delivers what is stored under SHA-256 of `id`. */
const delivered = (family: TestFamily, id: string): string => (family === pcr ? hashText(id) : id);

test('S row 62: all pairs of stored and delivered codes of all families: changed before redeem, ignored after, none across families', async () => {
  const { store, pool } = await startService();
  const states: (State | undefined)[] = [
    undefined,
    ...families.flatMap((family) =>
      [...(deliverable[family] ?? []), ...(family === pcr ? [4] : [])].map((result) => ({ family, result })),
    ),
  ];
  const codes = Array.from({ length: 18 }, (_, i) => i - 1);
  let pairs = 0;
  for (const state of states) {
    const name = (family: TestFamily, code: number) => anId(`${state?.result} ${family} ${code}`);
    const all = families.flatMap((family) => codes.map((code) => [family, code] as const));
    if (state !== undefined) {
      // A lab cannot deliver 4: retention makes it of an older result.
      const { family } = state;
      const result = state.result === 4 ? 1 : state.result;
      await store(
        all.map((pair) => ({ id: delivered(family, name(...pair)), result })),
        { family },
      );
      if (state.result === 4) await pool.query('update test_result set result = 4 where family = 1 and result = 1');
    }
    for (const family of families) {
      const outcomes = await store(
        codes.map((result) => ({ id: delivered(family, name(family, result)), result })),
        { family },
      );
      const wanted = codes.map((code) => expected(state, family, code));
      expect(outcomes, `${state?.family} ${state?.result} then ${family}`).toEqual(wanted.map(([status]) => status));
      const { rows } = await pool.query<State & { id: string }>(
        'select result_id as id, family, result from test_result where result_id = any($1)',
        [codes.map((code) => hashText(name(family, code)))],
      );
      const stored = new Map(rows.map(({ id, ...row }) => [id, row]));
      expect(codes.map((code) => stored.get(hashText(name(family, code))))).toEqual(wanted.map(([, after]) => after));
      pairs += codes.length;
    }
    await pool.query('delete from test_result');
  }
  expect(pairs).toBe(15 * 3 * 18);
});

interface Item {
  readonly id: string;
  readonly result: number;
}

const ids = ['a', 'b', 'c'].map(anId);
const item: fc.Arbitrary<Item> = fc.record({
  id: fc.oneof({ weight: 12, arbitrary: fc.constantFrom(...ids) }, { weight: 1, arbitrary: fc.string() }),
  result: fc.integer({ min: -1, max: 16 }),
});
const delivery = fc.constantFrom(...families).chain((family) =>
  fc.record({
    family: fc.constant(family),
    items: fc.array(
      // Mostly what the family may deliver, or lists would hardly ever be good.
      fc.oneof(
        {
          weight: 9,
          arbitrary: fc.record({
            id: fc.constantFrom(...ids),
            result: fc.constantFrom(...(deliverable[family] ?? [])),
          }),
        },
        { weight: 1, arbitrary: item },
      ),
      { minLength: 1, maxLength: 5 },
    ),
    labId: fc.constantFrom(undefined, 'lab-1', 'lab-2', ''),
    allOrNothing: fc.boolean(),
  }),
);
const step = fc.oneof(
  { weight: 6, arbitrary: delivery.map((value) => ({ deliver: value })) },
  { weight: 1, arbitrary: fc.constantFrom(1, 21, 39, 60).map((days) => ({ days })) },
);

interface Modelled extends State {
  readonly labId: string | undefined;
  readonly since: number;
}

test('any run of deliveries, lists and days leaves what a model of the rules leaves', async () => {
  const { store, pool, clock, expire, rowCount, receipts } = await startService();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
      await pool.query('delete from test_result');
      const model = new Map<string, Modelled>();
      for (const next of steps) {
        if ('days' in next) {
          clock.advance(next.days * dayMs);
          await expire();
          for (const [id, row] of model) {
            const age = clock.nowMs() - row.since;
            if (age >= 60 * dayMs) model.delete(id);
            else if (age >= 21 * dayMs) model.set(id, { ...row, result: redeemed[row.family] ?? 0 });
          }
        } else {
          const { family, items, labId, allOrNothing } = next.deliver;
          const list: LabResult[] = items.map(({ id, result }) => ({
            id: ids.includes(id) ? delivered(family, id) : id,
            result,
          }));
          const wanted = deliverTo(model, next.deliver, clock.nowMs());
          const outcomes = await store(list, { family, allOrNothing, ...(labId === undefined ? {} : { labId }) });
          expect(outcomes).toEqual(wanted);
          const told = await receipts(
            list.map(({ id }) => id),
            undefined,
            family,
          );
          for (const [i, { id }] of list.entries()) {
            if (id !== '') expect(told[i]?.map(({ status }) => status)).toContain(wanted[i]);
          }
        }
      }
      for (const [id, { family, result, labId }] of model) {
        const { rows } = await pool.query(
          'select family, result, lab_id as "labId" from test_result where result_id = $1',
          [hashText(id)],
        );
        expect(rows).toEqual([{ family, result, labId: labId ?? null }]);
      }
      expect(await rowCount('test_result')).toBe(model.size);
    }),
    { numRuns: 150 },
  );
}, 60_000);

function deliverTo(
  model: Map<string, Modelled>,
  {
    family,
    items,
    labId,
    allOrNothing,
  }: { family: TestFamily; items: readonly Item[]; labId: string | undefined; allOrNothing: boolean },
  now: number,
): Status[] {
  if (labId === '') return items.map(() => INVALID_LAB_ID);
  const after = new Map(model);
  const one = ({ id, result }: Item): Status => {
    if (!ids.includes(id)) return INVALID_ID;
    const before = after.get(id);
    const [status, state] = expected(before, family, result);
    if (status === UNCHANGED && before !== undefined && before.result !== redeemed[family] && before.labId !== labId) {
      after.set(id, { ...before, labId });
      return STORED;
    }
    if (state !== undefined && status === STORED) after.set(id, { ...state, labId, since: before?.since ?? now });
    return status;
  };
  const outcomes = items.map(one);
  const isBad = (status: Status) => status !== STORED && status !== UNCHANGED;
  // A list with items that are wrong in themselves is refused before anybody looks at what is stored.
  const wrong = outcomes.filter((status) => isBad(status) && status !== OTHER_FAMILY).length;
  if (allOrNothing && outcomes.some(isBad)) {
    return outcomes.map((status) => (isBad(status) && !(wrong > 0 && status === OTHER_FAMILY) ? status : LIST_REFUSED));
  }
  for (const [id, row] of after) model.set(id, row);
  return outcomes;
}
