import { randomBytes, randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { errorFields, jsonLog } from '../../lib/telemetry/log.ts';
import { testDatabase } from '../../lib/testing/database.ts';
import { aKey, aPayload, now, testService } from './fixtures/uploads.ts';
import { confirmStored } from './jobs/confirm-stored.ts';
import { deleteExpired } from './jobs/delete-expired.ts';

test('S row 69: no TAN and no key in a log, an error or a table where it does not belong, whatever fails', async () => {
  const database = await testDatabase('submission');
  const lines: string[] = [];
  const service = testService(database);
  const log = jsonLog(
    'submission',
    () => now,
    (line) => lines.push(line),
    'debug',
  );
  const deps = { ...service.deps, log, report: (event: string, error: unknown) => log.warn(event, errorFields(error)) };
  Object.assign(service.deps, deps);

  const canaries = { tan: service.verification.issue(), refused: randomUUID(), malformed: `canary-${randomUUID()}` };
  const key = randomBytes(16);
  const payload = aPayload({ keys: [aKey({ keyData: key })], origin: 'DE' });
  await database.pool.query('alter table diagnosis_key rename to hidden');
  await service.submit(canaries.tan, payload);
  await database.pool.query('alter table hidden rename to diagnosis_key');
  await service.submit(canaries.tan, payload);
  await service.submit(canaries.refused, payload);
  await service.submit(canaries.malformed, payload);
  await service.submit(canaries.tan, aPayload({ origin: 'canary-origin' }));
  await confirmStored(deps);
  await deleteExpired(deps)();

  const { rows } = await database.pool.query<{ text: string }>(
    `select string_agg(r::text, ' ') as text from (select r::text from reservation r union all
       select c::text from country_set c union all select s::text from supported_country s) as r (r)`,
  );
  const seen = [
    ...lines,
    rows[0]?.text ?? '',
    JSON.stringify((await service.metrics.flush(), service.metrics.shown())),
  ].join('\n');
  expect(lines.length).toBeGreaterThan(0);
  for (const secret of [...Object.values(canaries), 'canary', key.toString('hex'), key.toString('base64')]) {
    expect(seen.includes(secret)).toBe(false);
  }
  const { rows: keyRows } = await database.pool.query<{ text: string }>('select d::text as text from diagnosis_key d');
  expect(keyRows.map(({ text }) => text).join()).not.toContain(canaries.tan);
});
