import { X509Certificate } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RegistrationServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { ConfigError } from '../process/config.ts';
import { breakableLink } from '../testing/breakable-link.ts';
import { testPki, type TestPki } from '../testing/pki.ts';
import type { SecurityEvent } from '../telemetry/security.ts';
import { recordingLog, serve, someHandlers, type TestServer } from '../testing/rpc.ts';
import { systemClock } from '../time/clock.ts';
import type { Client } from './api.ts';
import { type CertificateSource, watchCertificates } from './certificates.ts';
import { clientOf, openChannel } from './client.ts';
import { bind } from './server.ts';

let pki: TestPki;
beforeEach(async () => {
  pki = await testPki();
});
afterEach(() => pki.remove());

const serial = (pem: Buffer): string => new X509Certificate(pem).serialNumber;

const until = (condition: () => boolean | Promise<boolean>) => expect.poll(condition, { interval: 10 }).toBe(true);

test.each([
  ['certFile', (path: string) => rmSync(path), 'TLS_CERT_FILE: the file it names cannot be read (ENOENT)'],
  ['keyFile', (path: string) => rmSync(path), 'TLS_KEY_FILE: the file it names cannot be read (ENOENT)'],
  ['caFile', (path: string) => rmSync(path), 'TLS_CA_FILE: the file it names cannot be read (ENOENT)'],
  [
    'certFile',
    (path: string) => writeFileSync(path, 'no'),
    'TLS_CERT_FILE: the file it names holds no PEM certificate',
  ],
  ['keyFile', (path: string) => writeFileSync(path, 'no'), 'TLS_KEY_FILE: the file it names holds no PEM private key'],
  ['caFile', (path: string) => writeFileSync(path, 'no'), 'TLS_CA_FILE: the file it names holds no PEM certificate'],
] as const)('a first load with a bad %s names the setting', async (which, spoil, message) => {
  const files = await pki.files('gateway');
  spoil(files[which]);

  expect(() => watchCertificates(files)).toThrow(new ConfigError([message]));
});

test('a first load with the key of another certificate names the setting', async () => {
  const { certFile, caFile } = await pki.files('gateway');
  const { keyFile } = await pki.files('submission');
  const settings = { certFile: 'A', keyFile: 'GATEWAY_KEY', caFile: 'C' };

  expect(() => watchCertificates({ certFile, keyFile, caFile }, { settings })).toThrow(
    'GATEWAY_KEY: the file holds the key of another certificate',
  );
});

test.each([
  ['by the events of the file system', 600_000],
  ['by polling', 30],
])('a new pair is published %s, once', async (_how, pollMs) => {
  const source = await pki.certificates('gateway', undefined, { pollMs });
  const seen: string[] = [];
  source.onChange(({ cert }) => seen.push(serial(cert)));
  const before = serial(source.current().cert);
  await pki.renew('gateway');
  await until(() => serial(source.current().cert) !== before);
  await systemClock.sleep(150);

  expect(seen).toEqual([serial(source.current().cert)]);
});

test('a half-replaced pair is kept out until it is whole', async () => {
  const log = recordingLog();
  const events: SecurityEvent[] = [];
  const security = { report: (event: SecurityEvent) => void events.push(event) };
  const files = await pki.files('gateway');
  const source = await pki.certificates('gateway', undefined, { pollMs: 20, log, security, name: 'edge' });
  const old = source.current();
  const next = await pki.authority.issue({ processName: 'gateway' });

  writeFileSync(files.certFile, next.cert);
  await until(() => log.lines.some(({ event }) => event === 'certificate-refused'));
  await systemClock.sleep(100);
  expect(source.current()).toBe(old);
  expect(log.lines.filter(({ event }) => event === 'certificate-refused')).toHaveLength(1);

  writeFileSync(files.certFile, 'cut off in the mid');
  await systemClock.sleep(100);
  expect(source.current()).toBe(old);

  writeFileSync(files.keyFile, next.key);
  writeFileSync(files.certFile, next.cert);
  await until(() => source.current() !== old);
  expect(source.current().cert).toEqual(readFileSync(files.certFile));
  expect(source.notAfter()).toEqual(new X509Certificate(next.cert).validToDate);
  expect(events).toEqual([
    { type: 'certificate-refused', certificate: 'edge' },
    { type: 'certificate-reloaded', certificate: 'edge' },
  ]);
});

test('a stopped listener and a closed source are quiet', async () => {
  const source = await pki.certificates('gateway', undefined, { pollMs: 20 });
  const seen: string[] = [];
  source.onChange(() => seen.push('stopped'))();
  source.onChange(() => seen.push('closed'));
  source.close();
  await pki.renew('gateway');
  await systemClock.sleep(150);

  expect(seen).toEqual([]);
});

test('a node:tls server follows the source', async () => {
  const source = await pki.certificates('gateway', undefined, { pollMs: 20 });
  const server = tls.createServer({ ...source.current(), requestCert: true });
  source.onChange((certificates) => server.setSecureContext(certificates));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await pki.renew('gateway');
  await until(async () => (await serverSerial(port, source)) === serial(source.current().cert));
  await new Promise((resolve) => server.close(resolve));
});

// Rotation under load

const name = 'cwa.verification.v1.RegistrationService';

/** A refused call goes to another connection once. Minutes in production; here more than a machine stalls, or two refuse. */
const maxConnectionAgeMs = 800;

/** Calls that nothing repeats (RegisterTokens is not idempotent), so each failure shows. */
async function load(client: () => Client<typeof RegistrationServiceService>, during: () => Promise<void>) {
  const failures: unknown[] = [];
  let calls = 0;
  let over = false;
  const worker = async (): Promise<void> => {
    while (!over) {
      await client()
        .registerTokens({ registrations: [] })
        .catch((error) => failures.push(error));
      calls++;
    }
  };
  const workers = Array.from({ length: 8 }, worker);
  await during().finally(() => {
    over = true;
  });
  await Promise.all(workers);
  return { calls, failures };
}

function serving(options: { maxConnectionAgeMs?: number } = {}): Promise<TestServer> {
  const handlers = someHandlers<typeof RegistrationServiceService>({
    registerTokens: async () => {
      await systemClock.sleep(2);
      return { outcomes: [] };
    },
  });
  return serve('verification', [bind(name, RegistrationServiceService, handlers)], { pki, ...options });
}

/** Serial number of the certificate that the server shows to a new connection. */
async function serverSerial(port: number, source: CertificateSource): Promise<string> {
  const socket = tls.connect({ ...source.current(), port, host: '127.0.0.1', ALPNProtocols: ['h2'] });
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
  });
}

test('certificates of both sides are replaced under load and no call fails', async () => {
  const server = await serving({ maxConnectionAgeMs });
  const current = clientOf(await server.channel('gateway'), name, RegistrationServiceService);
  const gateway = await pki.certificates('gateway', undefined, { pollMs: 20 });
  const shown = new Set([await serverSerial(server.port, gateway)]);
  const { calls, failures } = await load(
    () => current,
    async () => {
      for (let round = 0; round < 4; round++) {
        await Promise.all([pki.renew('verification'), pki.renew('gateway')]);
        await until(async () => !shown.has(await serverSerial(server.port, gateway)));
        shown.add(await serverSerial(server.port, gateway));
        await systemClock.sleep(maxConnectionAgeMs); // the connections of the load reach their age
      }
    },
  );

  expect(failures).toEqual([]);
  expect(calls).toBeGreaterThan(50);
  expect(shown.size).toBe(5);
  await server.stop();
});

test('a connection ends with its age, so that none keeps the certificates that it began with', async () => {
  const server = await serving({ maxConnectionAgeMs: 100 });
  const link = await breakableLink(server.port);
  const channel = await server.channel('gateway', { address: link.address });
  const client = clientOf(channel, name, RegistrationServiceService);
  await until(async () => {
    await client.registerTokens({ registrations: [] });
    return link.connections() >= 3;
  });
  await link.close();
  await server.stop();
});

test('under load a half-replaced pair is not served and no call fails', async () => {
  const server = await serving({ maxConnectionAgeMs });
  const client = clientOf(await server.channel('gateway'), name, RegistrationServiceService);
  const gateway = await pki.certificates('gateway');
  const before = await serverSerial(server.port, gateway);
  const { certFile } = await pki.files('verification');
  const { failures } = await load(
    () => client,
    async () => {
      writeFileSync(certFile, (await pki.authority.issue({ processName: 'verification' })).cert);
      await systemClock.sleep(2 * maxConnectionAgeMs);
    },
  );

  expect(failures).toEqual([]);
  expect(await serverSerial(server.port, gateway)).toBe(before);
  expect(server.log.lines).toMatchObject([{ event: 'certificate-refused' }]);
  await server.stop();
});

test('an expired certificate is refused by the other side', async () => {
  const server = await serving();
  const notAfter = new Date('2021-01-01T00:00:00Z');
  const certificates = await pki.certificates('old', { processName: 'gateway', notAfter });
  const channel = openChannel({
    address: server.address,
    serverName: 'verification',
    certificates,
    clock: systemClock,
  });

  await expect(
    clientOf(channel, name, RegistrationServiceService).registerTokens({ registrations: [] }),
  ).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  channel.close();
  await server.stop();
});
