import tls from 'node:tls';
import { Client as GrpcClient, credentials as grpcCredentials, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import type { CertificateRequest } from '../pki/authority.ts';
import { testPki } from '../testing/pki.ts';
import { type TestServer, serve, someHandlers } from '../testing/rpc.ts';
import type { SecurityEvent } from '../telemetry/security.ts';
import { systemClock } from '../time/clock.ts';
import type { CertificateSource } from './certificates.ts';
import { clientOf, openChannel } from './client.ts';
import { communicationMatrix, type ProcessName } from './communication-matrix.ts';
import { bind } from './server.ts';

const tanService = 'cwa.verification.v1.TanService';
const undeclared = {
  askAnything: { ...TanServiceService.confirmTans, path: '/cwa.verification.v1.Undeclared/AskAnything' },
} as const;

let server: TestServer;
let served = 0;
const events: SecurityEvent[] = [];

const tans = bind(
  tanService,
  TanServiceService,
  someHandlers<typeof TanServiceService>({
    confirmTans: async (_request, { peer }) => {
      served++;
      expect(peer).toBe('submission');
      return {};
    },
  }),
);

beforeAll(async () => {
  const services = [
    tans,
    bind('cwa.verification.v1.Undeclared', undeclared, { askAnything: async () => ({}) }),
    // Declared, but for another process: planted here by mistake.
    bind(
      'cwa.submission.v1.SubmissionService',
      {
        submitKeys: { ...TanServiceService.confirmTans, path: '/cwa.submission.v1.SubmissionService/SubmitKeys' },
      } as const,
      { submitKeys: async () => ({}) },
    ),
  ];
  server = await serve('verification', services, { security: { report: (event) => void events.push(event) } });
});
afterAll(() => server.stop());
beforeEach(() => {
  served = 0;
  events.length = 0;
  server.log.lines.length = 0;
});

function confirm(certificates: CertificateSource, serverName: ProcessName = 'verification') {
  const channel = openChannel({ address: server.address, serverName, certificates, clock: systemClock });
  return clientOf(channel, tanService, TanServiceService)
    .confirmTans({ reservationIds: [] })
    .finally(() => channel.close());
}

test('the caller that the communication matrix names is served', async () => {
  await expect(confirm(await server.pki.certificates('submission'))).resolves.toEqual({});
  expect([served, events]).toEqual([1, []]);
});

test.each(['gateway', 'test-result', 'distribution', 'portal', 'scheduler', 'ops-api', 'verification'])(
  'planted violation: %s has a right certificate but is not in the matrix',
  async (caller) => {
    const answer = confirm(await server.pki.certificates(caller));

    await expect(answer).rejects.toMatchObject({ code: 'PERMISSION_DENIED', reason: 'CALLER_NOT_ALLOWED' });
    const rpc = `/${tanService}/ConfirmTans`;
    expect(served).toBe(0);
    expect(events).toEqual([{ type: 'caller-refused', rpc, caller }]);
    expect(server.log.lines).toEqual([{ level: 'warn', event: 'caller-refused', rpc, caller, count: 5 }]);
  },
);

test.each<[string, CertificateRequest]>([
  ['only a common name', { commonName: 'submission', uris: [] }],
  ['only a DNS name', { commonName: 'submission', dns: ['submission'] }],
  ['two URIs', { commonName: 'submission', uris: ['spiffe://cwa/submission', 'spiffe://cwa/gateway'] }],
  ['the URI of another trust domain', { commonName: 'submission', uris: ['spiffe://other/submission'] }],
])('planted violation: a certificate with %s names nobody', async (kind, request) => {
  const answer = confirm(await server.pki.certificates(kind.replaceAll(' ', '-'), request));

  await expect(answer).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(served).toBe(0);
  expect(events[0]).toMatchObject({ caller: 'unknown' });
});

test('planted violation: a service that the matrix does not declare has no callers', async () => {
  const client = clientOf(await server.channel('gateway'), 'cwa.verification.v1.Undeclared', undeclared);

  await expect(client.askAnything({ reservationIds: [] })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(events).toMatchObject([{ rpc: '/cwa.verification.v1.Undeclared/AskAnything', caller: 'gateway' }]);
});

test('planted violation: a service bound in the wrong process has no callers', async () => {
  const name = 'cwa.submission.v1.SubmissionService';
  const definition = { submitKeys: { ...TanServiceService.confirmTans, path: `/${name}/SubmitKeys` } } as const;
  const client = clientOf(await server.channel('gateway'), name, definition);

  await expect(client.submitKeys({ reservationIds: [] })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('a method that nobody serves is refused without running anything', async () => {
  const definition = { other: { ...TanServiceService.confirmTans, path: `/${tanService}/Other` } } as const;
  const client = clientOf(await server.channel('submission'), tanService, definition);

  await expect(client.other({ reservationIds: [] })).rejects.toMatchObject({ reason: 'NOT_IMPLEMENTED' });
});

test('names of every object are no services of the matrix', () => {
  expect(Object.hasOwn(communicationMatrix, 'constructor')).toBe(false);
});

test('a caller without a certificate gets no connection', async () => {
  const connection = new GrpcClient(server.address, grpcCredentials.createSsl(Buffer.from(server.pki.authority.ca)), {
    'grpc.ssl_target_name_override': 'verification',
  });
  const { path, requestSerialize, responseDeserialize } = TanServiceService.confirmTans;
  const answer = new Promise((resolve, reject) => {
    connection.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      { reservationIds: [] },
      (error, response) => (error ? reject(error) : resolve(response)),
    );
  });

  await expect(answer).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(served).toBe(0);
  connection.close();
});

test('a caller with the certificate of another CA gets no connection', async () => {
  const stranger = await testPki('another CA');
  const { cert, key } = (await stranger.certificates('submission')).current();
  const ca = Buffer.from(server.pki.authority.ca);
  const answer = confirm({
    notAfter: () => new Date(),
    current: () => ({ cert, key, ca }),
    onChange: () => () => {},
    close() {},
  });

  await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
  expect(served).toBe(0);
  stranger.remove();
});

test('a client does not talk to a server whose certificate names another process', async () => {
  const answer = confirm(await server.pki.certificates('submission'), 'test-result');

  await expect(answer).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect([served, server.log.lines]).toEqual([0, []]);
});

test('a client does not talk to a server of another CA', async () => {
  const stranger = await testPki('another CA');
  await expect(confirm(await stranger.certificates('submission'))).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  stranger.remove();
});

test.each([
  ['TLSv1.2', false],
  ['TLSv1.3', true],
] as const)('a client that speaks %s at most: connected = %s', async (version, expected) => {
  const pair = (await server.pki.certificates('submission')).current();
  const socket = tls.connect({
    ...pair,
    host: '127.0.0.1',
    port: server.port,
    servername: 'verification',
    minVersion: 'TLSv1.2',
    maxVersion: version,
    ALPNProtocols: ['h2'],
  });
  const connected = await new Promise((resolve) => {
    socket.once('secureConnect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  expect(connected).toBe(expected);
});

test('a caller is read off its certificate once a connection', async () => {
  const client = clientOf(await server.channel('submission'), tanService, TanServiceService);
  await client.confirmTans({ reservationIds: [] });
  const original = tls.TLSSocket.prototype.getPeerCertificate;
  let reads = 0;
  tls.TLSSocket.prototype.getPeerCertificate = function (this: tls.TLSSocket, ...args: []) {
    reads++;
    return original.apply(this, args);
  } as typeof original;
  try {
    for (let i = 0; i < 30; i++) await client.confirmTans({ reservationIds: [] });
  } finally {
    tls.TLSSocket.prototype.getPeerCertificate = original;
  }

  // Fails when a release of grpc-js moves the private field that `callerOf` looks at. A late connection of another
  // test may be read meanwhile.
  expect(reads).toBeLessThan(5);
});
