import { expect, onTestFinished, test } from 'vitest';
import { DistributionServiceService } from '../../gen/mesh/cwa/distribution/v1/distribution.ts';
import { clientOf } from '../../lib/rpc/client.ts';
import { serve } from '../../lib/testing/rpc.ts';
import { world } from './fixtures/world.ts';
import { services } from './service.ts';

test('the scheduler runs distribution and reads its report over the mesh; nobody else may', async () => {
  const w = await world();
  const server = await serve('distribution', services(w.deps));
  onTestFinished(() => server.stop());
  const name = 'cwa.distribution.v1.DistributionService';
  const client = clientOf(await server.channel('scheduler'), name, DistributionServiceService, { deadlineMs: 20_000 });
  expect(await client.runDistribution({})).toMatchObject({ alreadyRunning: false, keysRead: 0, objectsPut: 17 });
  w.submit(3, { level: 2 });
  w.submit(140);
  w.submit(2, { origin: 'SE', visited: ['SE'] });
  w.clock.set('2020-09-13T11:05:00Z');
  expect(await client.runDistribution({})).toMatchObject({ keysRead: 145, keysAssigned: 140, keysWaiting: 0 });
  expect(await client.getDistributionReport({})).toEqual({
    keysWaiting: 0,
    keysPublished: 140,
    paddingKeysPublished: 0,
    excluded: [
      { rule: 2, keyCount: 2 },
      { rule: 1, keyCount: 3 },
    ],
  });

  w.store.failWhere(({ operation, key }) => operation === 'put' && key.endsWith('/hour/11'));
  w.clock.set('2020-09-13T12:05:00Z');
  await expect(client.runDistribution({})).rejects.toMatchObject({ code: 'INTERNAL', reason: 'RUN_INCOMPLETE' });
  w.store.heal();
  expect(await client.runDistribution({})).toMatchObject({ objectsPut: 4 });

  const stranger = clientOf(await server.channel('gateway'), name, DistributionServiceService);
  await expect(stranger.runDistribution({})).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});
