import { expect, test } from 'vitest';
import { world } from './fixtures/world.ts';

test('section 4.5: every upload to the store and every signature of diagnosis keys is an event with its place', async () => {
  const w = await world({ start: '2020-09-13T22:05:00Z' });
  await w.run();
  w.submit(140);
  await w.nextHour();
  w.store.forgetRequests();
  w.log.lines.length = 0;
  await w.nextHour();
  const told = w.log.lines.filter(({ event }) => event === 'object-published');
  const put = w.store.requests.filter(({ operation }) => operation === 'put').map(({ key }) => key);
  expect(told.map(({ file }) => file)).toEqual(put);
  const day = 'version/v1/diagnosis-keys/country/EUR/date/2020-09-13';
  expect(told).toContainEqual({
    level: 'info',
    event: 'object-published',
    file: day,
    bytes: w.store.objects().get(day)?.body.length,
    region: 'EUR',
    date: '2020-09-13',
  });
  expect(told).toContainEqual(expect.objectContaining({ region: 'DE', date: '2020-09-13', hour: 23 }));
  const signed = w.log.lines.filter(({ event }) => event === 'package-signed');
  const place = { level: 'info', event: 'package-signed', date: '2020-09-13', version: 'v1' };
  expect(signed).toEqual([
    { ...place, region: 'DE' },
    { ...place, region: 'EUR' },
    { ...place, region: 'DE', hour: 23 },
    { ...place, region: 'EUR', hour: 23 },
  ]);
  expect(w.log.lines.at(-1)).toEqual({
    level: 'info',
    event: 'run-ended',
    status: 'done',
    count: 0,
    packages: 4,
    objectsPut: put.length,
    objectsDeleted: 0,
    durationMs: 0,
  });
});
