import { type ChildProcess, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  LabResultServiceService,
  StoreResultStatus,
  TestFamily,
} from '../../gen/mesh/cwa/test_result/v1/test_result.ts';
import { RegistrationServiceService, TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { hashText } from '../../lib/exposure/token-format.ts';
import { freePort } from '../../lib/process/free-port.ts';
import { type Channel, clientOf, openChannel } from '../../lib/rpc/client.ts';
import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import { openTestDatabase, type TestDatabase } from '../../lib/testing/database.ts';
import { type TestPki, testPki } from '../../lib/testing/pki.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { guid, keys, RESERVED } from './fixtures/open-service.ts';

/** Both processes as they really run, over mutual TLS: what the other tests of this folder cannot see. */
let pki: TestPki;
const databases: TestDatabase[] = [];
const running = new Map<string, { child: ChildProcess; output: string; management: number; ended: Promise<number> }>();
const channels: Channel[] = [];
const addresses: Partial<Record<ProcessName, string>> = {};

beforeAll(async () => {
  pki = await testPki();
  const pepper = join(pki.folder, 'pepper');
  writeFileSync(pepper, 'p'.repeat(32));
  await start('test-result');
  await start('verification', {
    VERIFICATION_TELE_TAN_PEPPER_FILE: pepper,
    TEST_RESULT_ADDRESS: addresses['test-result'] ?? '',
  });
});

afterAll(async () => {
  for (const channel of channels) channel.close();
  for (const { child, ended } of running.values()) {
    child.kill('SIGKILL');
    await ended;
  }
  for (const database of databases) await database.close();
  pki.remove();
});

async function start(name: ProcessName, more: Record<string, string> = {}): Promise<void> {
  const prefix = name.replace('-', '_').toUpperCase();
  const database = await openTestDatabase(name);
  databases.push(database);
  const { certFile, keyFile, caFile } = await pki.files(name);
  const [port, management] = [await freePort(), await freePort()];
  addresses[name] = `127.0.0.1:${port}`;
  const env = {
    [`${prefix}_DATABASE_URL`]: database.url,
    [`${prefix}_PORT`]: String(port),
    [`${prefix}_MANAGEMENT_PORT`]: String(management),
    [`${prefix}_TLS_CERT_FILE`]: certFile,
    [`${prefix}_TLS_KEY_FILE`]: keyFile,
    [`${prefix}_TLS_CA_FILE`]: caFile,
    ...more,
  };
  const child = spawn(process.execPath, [join(import.meta.dirname, '..', name, 'main.ts')], { env });
  const ended = new Promise<number>((done) => child.once('exit', (code) => done(code ?? -1)));
  const entry = { child, output: '', management, ended };
  running.set(name, entry);
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (entry.output += chunk));
  await vi.waitFor(() => expect(entry.output).toContain('"event":"started"'), { timeout: 20_000 });
}

async function client<S>(caller: ProcessName, server: ProcessName, name: string, definition: S) {
  const certificates = await pki.certificates(caller);
  const address = addresses[server] ?? '';
  const channel = openChannel({ address, serverName: server, certificates, clock: systemClock });
  channels.push(channel);
  return clientOf(channel, name, definition);
}

test('S 6: lab, registration, result, TAN and upload meet over mutual TLS', async () => {
  const lab = await client('gateway', 'test-result', 'cwa.test_result.v1.LabResultService', LabResultServiceService);
  const registrations = await client(
    'gateway',
    'verification',
    'cwa.verification.v1.RegistrationService',
    RegistrationServiceService,
  );
  const tans = await client('submission', 'verification', 'cwa.verification.v1.TanService', TanServiceService);
  const [pcr, rapid] = [hashText('pcr'), hashText('rapid')];

  const { outcomes } = await registrations.registerTokens({ registrations: [guid(pcr), guid(hashText(rapid))] });
  const tokens = outcomes.map(({ outcome }) => String(outcome?.value));
  const submitter = Buffer.alloc(32, 1);
  const deliver = async (family: TestFamily, id: string, result: number) =>
    (await lab.storeResults({ family, submitter, allOrNothing: true, results: [{ id, result }] })).outcomes;
  expect(await deliver(TestFamily.TEST_FAMILY_PCR, pcr, 2)).toEqual([StoreResultStatus.STORE_RESULT_STATUS_STORED]);
  await deliver(TestFamily.TEST_FAMILY_POC_NAT, rapid, 11);

  const results = await registrations.getTestResults({ registrationTokens: tokens });
  expect(results.outcomes.map(({ outcome }) => outcome?.value)).toMatchObject([{ code: 2 }, { code: 1 }]);
  const issued = await registrations.issueTans({ registrationTokens: tokens });
  expect(issued.outcomes.map(({ outcome }) => outcome?.$case)).toEqual(['tan', 'refused']);
  const tan = String(issued.outcomes[0]?.outcome?.value);
  const reserved = await tans.reserveTans({ claims: [{ tan, keysHash: keys(1), event: false }] });
  expect(reserved.outcomes[0]?.status).toBe(RESERVED);
  await tans.confirmTans({ reservationIds: [reserved.outcomes[0]?.reservationId ?? ''] });

  // S row 69: all of this left no trace in what the processes print.
  const printed = [...running.values()].map(({ output }) => output).join('');
  for (const secret of [pcr, rapid, ...tokens, tan, reserved.outcomes[0]?.reservationId]) {
    expect(printed).not.toContain(secret);
  }
});

test('S row 59: the portal’s certificate cannot spend TANs', async () => {
  const tans = await client('portal', 'verification', 'cwa.verification.v1.TanService', TanServiceService);
  const answer = tans.reserveTans({ claims: [] });
  await expect(answer).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
});

test('ready while they serve; SIGTERM ends both in order with status 0', async () => {
  for (const { child, management, ended } of running.values()) {
    const ready = await fetch(`http://127.0.0.1:${management}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'UP', checks: { database: 'UP' } }]);
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
  }
});
