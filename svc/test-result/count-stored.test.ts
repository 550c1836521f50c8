import { expect, test } from 'vitest';
import { aCall } from '../../lib/testing/call.ts';
import { anId, labA, pcr, pocNat, quick, startService } from './fixtures/start-service.ts';
import { storeResults } from './store-results.ts';

test('stored results are counted by family and meaning; repeated and refused ones are not', async () => {
  const { store, metrics } = await startService();
  const five = (family: number, result: number) =>
    [0, 1, 2, 3, 4].map((i) => ({ id: anId(`${family} ${result} ${i}`), result }));
  const seen = (family: string, result: string) =>
    metrics.seen('cwa.test_result.results', { 'cwa.test.family': family, 'cwa.result': result });
  await store([...five(pcr, 2), ...five(pcr, 1), ...five(pcr, 4)], { family: pcr });
  await store(five(pcr, 2), { family: pcr });
  await store(five(quick, 7), { family: quick });
  await store(five(pocNat, 14), { family: pocNat });
  expect(await seen('pcr', 'positive')).toBe(5);
  expect(await seen('pcr', 'negative')).toBe(5);
  expect(await seen('pcr', 'redeemed')).toBe(0);
  expect(await seen('quick-test', 'positive')).toBe(5);
  expect(await seen('poc-nat', 'redeemed')).toBe(5);
  expect(await metrics.seen('cwa.test_result.results')).toBe(20);
});

test("the prober's results are counted nowhere", async () => {
  const { deps, metrics } = await startService();
  const results = [0, 1, 2, 3, 4].map((i) => ({ id: anId(i), result: 2 }));
  const request = { family: pcr, submitter: labA, allOrNothing: false, results };
  await storeResults(deps)(request, { ...aCall(), synthetic: true });
  expect(await metrics.seen('cwa.test_result.results')).toBe(0);
});
