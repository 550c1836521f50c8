import { expect, test } from 'vitest';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { Pool } from '../db/pool.ts';
import { inTx } from '../db/tx.ts';
import { recordedMetrics, testTelemetry } from '../testing/telemetry.ts';
import { serve, someHandlers } from '../testing/rpc.ts';
import { systemClock } from '../time/clock.ts';
import type { Call } from './api.ts';
import { clientOf, openChannel } from './client.ts';
import { bind } from './server.ts';

const name = 'cwa.verification.v1.TanService';

test("calls on the prober's behalf say so to the next process, and are measured at neither end nor in the database", async () => {
  const telemetry = await testTelemetry('verification');
  const calls: Call[] = [];
  const transactions = recordedMetrics('verification');
  const connection = { query: async () => ({ rows: [], rowCount: 0 }) };
  const pool: Pool = {
    ...connection,
    metrics: transactions,
    withConnection: (use) => use(connection, () => {}),
    close: async () => {},
  };
  const handlers = someHandlers<TanServiceService>({
    confirmTans: async (_request, call) => {
      calls.push(call);
      await inTx(pool, 'confirm', async () => {});
      return {};
    },
  });
  const server = await serve('verification', [bind(name, TanServiceService, handlers)], { telemetry });
  const certificates = await server.pki.certificates('submission');
  const metrics = recordedMetrics('submission');
  const settings = { address: server.address, serverName: 'verification', clock: systemClock } as const;
  const channel = openChannel({ ...settings, certificates, metrics });
  const client = clientOf(channel, name, TanServiceService);
  for (let i = 0; i < 50; i++) await client.confirmTans({ reservationIds: [] });
  for (let i = 0; i < 50; i++) await client.confirmTans({ reservationIds: [] }, { synthetic: true });

  expect(calls.filter(({ synthetic }) => synthetic)).toHaveLength(50);
  expect(await metrics.seen('rpc.client.call.duration')).toBe(50);
  expect(await transactions.seen('db.client.operation.duration')).toBe(50);
  await telemetry.registry.flush();
  const measured = telemetry.registry.shown().metrics.find((data) => data.descriptor.name.startsWith('rpc.server'));
  expect(measured?.dataPoints.map(({ value }) => value)).toMatchObject([{ count: 50 }]);
  channel.close();
  await server.stop();
  await telemetry.close();
});
