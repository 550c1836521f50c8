import { expect, test } from 'vitest';
import { rehearseRotation } from '../rotation/rehearse.ts';

test('decision 29: phones with only the old or only the new key verify every key package first published during the overlap, and the configuration, which is signed again once at its start and once at its end', async () => {
  const { rows, etagChanges, faults, held } = await rehearseRotation(() => {});
  expect(rows.filter(({ asExpected }) => !asExpected)).toEqual([]);
  expect(faults).toEqual([]);
  expect(new Set(Object.values(etagChanges))).toEqual(new Set([2]));
  const overlap = rows
    .filter(({ stage, path }) => stage === 'overlap' && path.includes('/EUR/'))
    .map(({ keys }) => keys);
  expect(overlap.filter((keys) => keys !== null && keys >= 140)).toHaveLength(2);
  expect(held).toBe(true);
}, 240_000);

test('threat 23: a key that is dropped without overlap fails the rehearsal', async () => {
  const { rows, held } = await rehearseRotation(() => {}, { overlap: false });
  expect(held).toBe(false);
  const wrong = rows.filter(({ stage, asExpected }) => stage === 'overlap' && !asExpected);
  expect(wrong.length).toBeGreaterThan(6);
  expect(wrong.every(({ oldOnly, newOnly }) => !oldOnly && newOnly)).toBe(true);
}, 240_000);
