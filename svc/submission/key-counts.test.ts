import { afterAll, beforeAll, expect, test } from 'vitest';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { aKey, aPayload, testService, type TestService, today } from './fixtures/uploads.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await openTestDatabase('submission');
});
afterAll(() => database.close());

const future = () => aKey({ rollingStartIntervalNumber: today + 144 });
const thirty = () => Array.from({ length: 30 }, (_, i) => aKey({ rollingStartIntervalNumber: today - (i % 14) * 144 }));
const seen = (service: TestService, outcome: string) =>
  service.metrics.seen('cwa.submission.keys', { 'cwa.outcome': outcome });
const upload = (service: TestService, keys: ReturnType<typeof thirty>) =>
  service.submit(service.verification.issue(), aPayload({ keys }));

test('keys are counted in steps of 1,500, so that fewer than fifty uploads are never seen', async () => {
  const service = testService(database);
  const uploads = Array.from({ length: 50 }, thirty);
  for (const keys of uploads.slice(0, 49)) await upload(service, keys);
  expect(await seen(service, 'stored')).toBe(0);
  await upload(service, uploads[49] ?? []);
  expect(await seen(service, 'stored')).toBe(1_500);
  for (const keys of uploads) await upload(service, keys);
  expect([await seen(service, 'stored'), await seen(service, 'known')]).toEqual([1_500, 1_500]);
  for (let i = 0; i < 50; i++) await upload(service, Array.from({ length: 30 }, future));
  expect([await seen(service, 'stored'), await seen(service, 'dropped')]).toEqual([1_500, 1_500]);
});

test('an upload that a phone repeats counts once', async () => {
  const service = testService(database);
  for (let i = 0; i < 50; i++) {
    const tan = service.verification.issue();
    const keys = thirty();
    await service.submit(tan, aPayload({ keys }));
    await service.submit(tan, aPayload({ keys }));
  }
  expect([await seen(service, 'stored'), await seen(service, 'known')]).toEqual([1_500, 0]);
});

test('random keys beside those of a phone do not make a single upload visible', async () => {
  const service = testService(database, { config: { keyPaddingMultiplier: 10 } });
  for (let i = 0; i < 49; i++) await upload(service, thirty());
  expect(await service.metrics.seen('cwa.submission.keys')).toBe(0);
  await upload(service, thirty());
  expect(await seen(service, 'stored')).toBe(1_500);
});
