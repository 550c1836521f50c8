import { expect, test } from 'vitest';
import { aGuid, aPositivePhone, dayMs, guid, openService } from '../fixtures/open-service.ts';
import { purgeExpiredRows } from './purge-expired.ts';

const indexFiles = `
  select pg_read_binary_file(pg_relation_filepath(indexrelid::regclass)) as file
  from pg_index join pg_class on pg_class.oid = indrelid
  where relname in ('session', 'registered_hash', 'tan')`;

test('after the term no hash is left in any index, and traffic goes on beside the purge', async () => {
  const service = await openService();
  const { pool } = service;
  const old = await Promise.all(Array.from({ length: 300 }, (_, i) => aPositivePhone(service, `old ${i}`)));
  const { rows } = await pool.query<{ hash: Buffer }>(
    'select hash from registered_hash union all select token_hash from session union all select hash from tan',
  );
  const left = async () => {
    await pool.query('checkpoint');
    const files = (await pool.query<{ file: Buffer }>(indexFiles)).rows.map(({ file }) => file);
    return rows.filter(({ hash }) => files.some((file) => file.includes(hash))).length;
  };
  expect(old).toHaveLength(300);
  expect(await left()).toBe(900);

  service.clock.advance(61 * dayMs);
  await service.deleteExpired();
  expect(await left(), 'deleted, and still in the indexes').toBeGreaterThan(0);
  const beside = Array.from({ length: 200 }, (_, i) => service.register(guid(aGuid(`new ${i}`))));
  await Promise.all([purgeExpiredRows(service.deps), ...beside]);

  expect(await left()).toBe(0);
  expect(await service.rowCount('registered_hash')).toBe(200);
  expect(service.lines.join('')).toContain('deleted-rows-purged');
});
