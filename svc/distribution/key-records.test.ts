import { expect, test } from 'vitest';
import { fakeSubmission, type StoredKey } from './fixtures/world.ts';
import { readRules } from './config.ts';
import { collectKeys, RECORD_OCTETS } from './key-records.ts';

const key = (given: Partial<StoredKey>): StoredKey => ({
  keyData: Buffer.alloc(16, 0xab),
  start: 2_666_448,
  period: 144,
  level: 6,
  submissionHour: 444_442,
  type: 0,
  origin: 'DE',
  visited: ['DE'],
  ...given,
});

async function collect(keys: StoredKey[]) {
  const submission = fakeSubmission(2);
  submission.keys.push(...keys);
  return collectKeys(submission.client.streamDiagnosisKeys({ cursor: 0n }), readRules({}));
}

test('D row 10, D fault 9: TRL filter, rows with TRL 1, 2 absent, left out before they are stored', async () => {
  const intake = await collect([1, 2, 3, 8].map((level) => key({ level })));
  expect(intake).toMatchObject({
    keysRead: 4,
    nextCursor: 4n,
    excluded: { 'transmission-risk-level': 2, countries: 0, invalid: 0 },
  });
  expect(Buffer.concat(intake.records).length).toBe(2 * RECORD_OCTETS);
});

test('D 2.2: rows that cannot be published are counted, never stored', async () => {
  const intake = await collect([
    key({ period: 0 }),
    key({ period: 145 }),
    key({ start: 0 }),
    key({ level: 9 }),
    key({ visited: ['SE'], origin: 'SE' }),
  ]);
  expect(intake.excluded).toEqual({ 'transmission-risk-level': 0, countries: 1, invalid: 4 });
  expect(intake.records).toEqual([]);
});

test('D row 23: foreign expiry, a valid foreign key is held back like an own one', async () => {
  const day = Math.floor(444_442 / 24) * 144;
  const intake = await collect([key({ start: day, origin: 'FR', visited: ['FR'] }), key({ start: day })]);
  const [foreign, own] = [0, 1].map((i) => Buffer.concat(intake.records).readInt32BE(i * RECORD_OCTETS + 20));
  expect(foreign).toBe(own);
  expect(foreign).toBe((Math.floor(444_442 / 24) + 1) * 24 + 1);
});

test('a country set that was never sent ends the reading: dropping the key would lose it', async () => {
  async function* broken() {
    const submission = fakeSubmission();
    submission.keys.push(key({}));
    for await (const message of submission.client.streamDiagnosisKeys({ cursor: 0n }))
      yield { ...message, countrySets: [] };
  }
  await expect(collectKeys(broken(), readRules({}))).rejects.toThrow('country set');
});
