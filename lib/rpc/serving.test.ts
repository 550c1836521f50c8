import { expect, test } from 'vitest';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { serve, someHandlers } from '../testing/rpc.ts';
import { bind } from './server.ts';
import { isServing } from './serving.ts';

test('a process serves until it stops; one that is gone or never answers does not', async () => {
  const tans = bind('cwa.verification.v1.TanService', TanServiceService, someHandlers<TanServiceService>({}));
  const server = await serve('verification', [tans]);
  const channel = await server.channel('submission');
  expect(await isServing(channel)).toBe(true);
  const nobody = await server.channel('submission', { address: '127.0.0.1:1' });
  expect(await isServing(nobody, 300)).toBe(false);
  await server.close();
  expect(await isServing(channel, 300)).toBe(false);
  await server.stop();
});
