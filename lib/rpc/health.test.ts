import type { ServiceError } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { service as health } from 'grpc-health-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { CertificateRequest } from '../pki/authority.ts';
import { serve, someHandlers, type TestServer } from '../testing/rpc.ts';
import { systemClock } from '../time/clock.ts';
import { openChannel } from './client.ts';
import { bind } from './server.ts';

const tanName = 'cwa.verification.v1.TanService';
const services = [bind(tanName, TanServiceService, someHandlers({}))];

let server: TestServer;
beforeAll(async () => {
  server = await serve('verification', services);
});
afterAll(() => server.stop());

interface Method {
  path: string;
  requestSerialize(request: { service: string }): Buffer;
  responseDeserialize(bytes: Buffer): { status: string };
}
const { Check: checkMethod, Watch: watchMethod } = health as unknown as Record<string, Method>;

async function check(service: string, caller: string, request?: CertificateRequest): Promise<{ status: string }> {
  const certificates = await server.pki.certificates(caller, request);
  const channel = openChannel({
    address: server.address,
    serverName: 'verification',
    certificates,
    clock: systemClock,
  });
  const { path, requestSerialize, responseDeserialize } = checkMethod as Method;
  return new Promise<{ status: string }>((resolve, reject) => {
    const done = (error: ServiceError | null, answer?: { status: string }): void =>
      answer === undefined ? reject(error) : resolve(answer);
    channel.connection.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service }, done);
  }).finally(() => channel.close());
}

test.each([
  ['', 'ops-api'],
  [tanName, 'gateway'],
])('health of %j may be asked by %s', async (service, caller) => {
  await expect(check(service, caller)).resolves.toEqual({ status: 'SERVING' });
});

test('health of a service that is not served here is not found', async () => {
  await expect(check('cwa.other', 'ops-api')).rejects.toMatchObject({ code: status.NOT_FOUND });
});

test('a certificate without a name of the mesh may not ask for health', async () => {
  const answer = check('', 'lab', { commonName: 'lab', usage: 'client' });
  await expect(answer).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
});

test('a watcher hears of the stop and does not hold it up', async () => {
  const own = await serve('verification', services, { pki: server.pki });
  const { connection } = await own.channel('ops-api');
  const { path, requestSerialize, responseDeserialize } = watchMethod as Method;
  const watched = connection.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' });
  const seen: string[] = [];
  for await (const { status: now } of watched) {
    seen.push(now);
    if (seen.length === 1) void own.close();
  }

  expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
  await own.stop();
  expect(own.log.lines).toEqual([]);
});
