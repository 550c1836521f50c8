import { expect, test } from 'vitest';
import { recordedMetrics } from '../lib/testing/telemetry.ts';
import { openHttp1 } from './fixtures/http1.ts';
import { phoneRequests } from './fixtures/phone-requests.ts';
import { startGateway } from './fixtures/start-gateway.ts';
import { startPhonePort } from './gateway.ts';

test('real and fake requests are counted alike; attributes are route and coarse outcome alone', async () => {
  const shown = await Promise.all(
    (['real', 'fake'] as const).map(async (kind) => {
      const gateway = await startGateway();
      const recorded = recordedMetrics('gateway');
      const port = await startPhonePort({ ...gateway.deps, metrics: recorded });
      const client = await openHttp1({ port: port.port, ca: gateway.ca });
      for (const route of Object.values(phoneRequests)) for (let i = 0; i < 5; i++) await client.send(route[kind]);
      client.close();
      await port.close(200);
      await gateway.close();
      await recorded.flush();
      return recorded.shown().metrics;
    }),
  );
  const counters = shown.map((metrics) => metrics.find(({ descriptor }) => descriptor.name === 'cwa.gateway.requests'));
  const rows = counters.map((data) => data?.dataPoints.map(({ attributes, value }) => ({ attributes, value })));
  expect(rows[0]).toEqual(rows[1]);
  expect(rows[0]?.filter(({ value }) => value === 5)).toHaveLength(4);
});
