import { expect, test } from 'vitest';
import { GetTestResultRefusal } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { aDob, aGuid, hourMs, openService, start } from './fixtures/open-service.ts';

const {
  GET_TEST_RESULT_REFUSAL_UNKNOWN_TOKEN: UNKNOWN_TOKEN,
  GET_TEST_RESULT_REFUSAL_DATE_OF_BIRTH_MISMATCH: MISMATCH,
  GET_TEST_RESULT_REFUSAL_UNAVAILABLE: UNAVAILABLE,
} = GetTestResultRefusal;
const sc = start / 1_000;

test('S row 47: a teleTAN session answers 2 with its creation time, test-result is not called', async () => {
  const { registerTeleTan, issueTeleTan, getResults, testResult, clock } = await openService();
  testResult.up = false;
  const token = await registerTeleTan((await issueTeleTan()) as string);
  clock.advance(hourMs);
  expect(await getResults(token)).toEqual([{ code: 2, sampleCollectedAt: sc }]);
  expect(testResult.calls).toBe(0);
});

test('S row 48: a differing result under the hash with date of birth is a mismatch; with the disable flag it is not asked for', async () => {
  const strict = await openService();
  const token = await strict.registerGuid(aGuid(1), aDob(1));
  strict.results.set(aGuid(1), { code: 2, sampleCollectedAt: 5 }).set(aDob(1), { code: 1, sampleCollectedAt: 5 });
  expect(await strict.getResults(token)).toEqual([MISMATCH]);
  strict.results.set(aDob(1), { code: 2, sampleCollectedAt: 5 });
  expect(await strict.getResults(token)).toMatchObject([{ code: 2 }]);

  const lenient = await openService({ dobCheckDisabled: true });
  const other = await lenient.registerGuid(aGuid(1), aDob(1));
  lenient.results.set(aGuid(1), { code: 2, sampleCollectedAt: 5 }).set(aDob(1), { code: 1, sampleCollectedAt: 5 });
  expect(await lenient.getResults(other)).toMatchObject([{ code: 2 }]);
  expect(lenient.testResult.ids).toEqual([aGuid(1)]);
});

test('S 7.1: pending on either side is not a mismatch', async () => {
  const { registerGuid, getResults, results } = await openService();
  const token = await registerGuid(aGuid(1), aDob(1));
  results.set(aGuid(1), { code: 2, sampleCollectedAt: 5, labId: 'lab' });
  expect(await getResults(token)).toEqual([{ code: 2, sampleCollectedAt: 5, labId: 'lab' }]);
  results.set(aDob(1), { code: 0, sampleCollectedAt: 5 });
  expect(await getResults(token)).toMatchObject([{ code: 2 }]);
  results.set(aGuid(1), { code: 5, sampleCollectedAt: 6 }).set(aDob(1), { code: 7, sampleCollectedAt: 5 });
  expect(await getResults(token)).toMatchObject([{ code: 5, sampleCollectedAt: 6 }]);
});

test('decision 22: without a stored result the answer is pending with the creation time of the session', async () => {
  const { registerGuid, getResults, clock } = await openService();
  const token = await registerGuid(aGuid(1), aDob(1));
  clock.advance(3 * hourMs);
  expect(await getResults(token)).toEqual([{ code: 0, sampleCollectedAt: sc }]);
});

test('unknown, malformed and fake tokens are unknown; the malformed reach no database', async () => {
  const { getResults, pool, deps } = await openService();
  expect(await getResults('11111111-2222-4444-8888-161616161616', 'nonsense')).toEqual([UNKNOWN_TOKEN, UNKNOWN_TOKEN]);
  let queries = 0;
  Object.assign(deps, { pool: { ...pool, query: () => (queries += 1) } });
  expect(await getResults('nonsense', '')).toEqual([UNKNOWN_TOKEN, UNKNOWN_TOKEN]);
  expect(queries).toBe(0);
});

test('a list asks test-result once, for all hashes, and each item has its own answer', async () => {
  const { registerGuid, issueTeleTan, registerTeleTan, getResults, results, testResult, lines } = await openService();
  const tokens = [
    await registerGuid(aGuid(1), aDob(1)),
    await registerGuid(aGuid(2)),
    await registerTeleTan((await issueTeleTan()) as string),
  ];
  results.set(aGuid(2), { code: 1, sampleCollectedAt: 7 });
  expect(await getResults(...tokens, 'nonsense', tokens[1] as string)).toMatchObject([
    { code: 0 },
    { code: 1 },
    { code: 2 },
    UNKNOWN_TOKEN,
    { code: 1 },
  ]);
  expect(testResult.calls).toBe(1);
  testResult.up = false;
  expect(await getResults(...tokens)).toMatchObject([UNAVAILABLE, UNAVAILABLE, { code: 2 }]);
  await getResults(...tokens);
  // The process gathers such lines (decision 34).
  expect(lines.filter((line) => line.includes('test-result-unavailable'))).not.toHaveLength(0);
  expect(lines.join()).not.toContain(aGuid(1));
});
