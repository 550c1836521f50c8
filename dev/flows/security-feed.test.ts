import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { repositoryRoot } from '../mesh/child.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { openOpsClient } from '../operators/ops-client.ts';
import { readSecurityEvents, type SecurityCollector } from '../security-collector/collector.ts';
import { temporaryMesh } from './mesh-home.ts';

let mesh: Mesh;
let collector: SecurityCollector;
let leave: () => Promise<void>;
const verification: { address?: string } = {};

beforeAll(async () => {
  const addressFor = (_caller: string, called: string, address: string): string => {
    if (called === 'verification') verification.address = address;
    return address;
  };
  ({ mesh, leave } = await temporaryMesh({ addressFor }));
  if (mesh.securityCollector === undefined) throw new Error('the mesh has no collector');
  collector = mesh.securityCollector;
});
afterAll(() => leave());

const events = (type: string) => readSecurityEvents(collector.file).filter((event) => event.type === type);

const until = (holds: () => boolean) => expect.poll(holds, { timeout: 60_000 }).toBe(true);

async function cwa(...parameters: readonly string[]): Promise<string> {
  const env = { ...process.env, CWA_HOME: mesh.home };
  const { stdout } = await promisify(execFile)(process.execPath, ['dev/cwa.ts', ...parameters], {
    cwd: repositoryRoot,
    env,
  });
  return stdout;
}

/** As the scheduler, whom the matrix does not let near TANs. */
async function callWhatIsNotAllowed(): Promise<void> {
  const pki = (file: string): string => join(mesh.home, 'pki', file);
  const certificates = watchCertificates({
    certFile: pki('scheduler.crt'),
    keyFile: pki('scheduler.key'),
    caFile: pki('ca.crt'),
  });
  const channel = openChannel({
    address: verification.address ?? '',
    serverName: 'verification',
    certificates,
    clock: systemClock,
  });
  const tans = clientOf(channel, 'cwa.verification.v1.TanService', TanServiceService, { deadlineMs: 5_000 });
  await expect(tans.reserveTans({ claims: [] })).rejects.toThrow();
  channel.close();
  certificates.close();
}

/** With a certificate of the CA that no partner has. */
async function callAsUnlistedPartner(): Promise<number | undefined> {
  const pki = (file: string): Buffer => readFileSync(join(mesh.home, 'pki', file));
  const options = {
    method: 'POST',
    agent: false,
    ca: pki('ca.crt'),
    cert: pki('operator-security.crt'),
    key: pki('operator-security.key'),
    headers: { 'content-type': 'application/json' },
  } as const;
  const url = `https://localhost:${mesh.ports.GATEWAY_PARTNER_PORT}/api/v1/lab/results`;
  return new Promise((done, failed) => {
    request(url, options, (response) => done(response.resume().statusCode))
      .once('error', failed)
      .end('{"testResults":[]}');
  });
}

test('each process tells that it has started, with its own certificate', async () => {
  await until(() => events('process-started').length >= mesh.processes.size);
  expect(
    events('process-started')
      .map((event) => event.process)
      .sort(),
  ).toEqual([...mesh.processes.keys()].sort());
});

test('a call that the matrix does not declare and a partner that is not listed are told once each', async () => {
  await callWhatIsNotAllowed();
  expect(await callAsUnlistedPartner()).toBe(403);

  await until(() => events('caller-refused').length > 0 && events('partner-refused').length > 0);
  expect(events('caller-refused')).toMatchObject([
    { process: 'verification', rpc: '/cwa.verification.v1.TanService/ReserveTans', caller: 'scheduler', count: 1 },
  ]);
  expect(events('partner-refused')).toMatchObject([{ process: 'gateway', reason: 'unlisted', count: 1 }]);
});

test('an operator comes in with a token of the identity provider; a token that is none is told', async () => {
  await mesh.startIdentityProvider();
  const token = (await cwa('ops', 'token', '--team', 'ops-security')).trim();
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'), 'utf8');
  const asked = async (shown: string) => {
    const client = openOpsClient({ port: mesh.ports.OPS_API_OPERATOR_PORT, ca, token: shown });
    const { status } = await client.query('{ __typename }');
    await client.close();
    return status;
  };
  expect(await asked(token)).toBe(200);
  expect(await asked(`${token}x`)).toBe(401);

  await until(() => events('sign-in-refused').length > 0);
  expect(events('sign-in-refused')).toMatchObject([{ process: 'ops-api', reason: 'token-invalid', count: 1 }]);
  const lines = (await cwa('security', 'tail', '--json', '-n', '1000')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toEqual(readSecurityEvents(collector.file));
});

test('what happens while the collector is away arrives when it is back, also from a process that was killed', async () => {
  await collector.pause();
  await mesh.restart('submission');
  await mesh.restart('submission');
  expect(events('process-started').filter((event) => event.process === 'submission')).toHaveLength(1);

  await collector.resume();
  await until(() => events('process-started').filter((event) => event.process === 'submission').length === 3);
  const ids = readSecurityEvents(collector.file).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a process that stops in order says so before it goes', async () => {
  await mesh.processes.get('test-result')?.stop();
  expect(events('process-stopped')).toMatchObject([{ process: 'test-result' }]);
});
