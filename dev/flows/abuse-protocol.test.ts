import { constants } from 'node:crypto';
import { connect, createServer, getCiphers, type ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { fakeSequence } from '../../phone/playbook.ts';
import { randomText } from '../../phone/padding.ts';
import {
  endlessHead,
  type FloodOutcome,
  flood,
  openStreams,
  ping,
  rapidResets,
  repeated,
  settings,
} from '../abuse/floods.ts';
import { latencies } from '../abuse/latency.ts';
import { pssMegabytes } from '../bench/processes.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { type Endpoint, partnerEndpoint, phoneEndpoint } from '../wire/endpoint.ts';
import { answered, type WireClient, type WireRequest } from '../wire/exchange.ts';
import { frameType } from '../wire/frames.ts';
import { http1Client } from '../wire/http1.ts';
import { aHashedGuid, intakeHolds, registration } from '../wire/journeys.ts';
import { temporaryMesh } from './mesh-home.ts';

const slowMs = 2_000;
let mesh: Mesh;
let leave: () => Promise<void>;
let phones: Endpoint;
let partners: Endpoint;
let phone: WireClient;
let lab: WireClient;

beforeAll(async () => {
  const env = {
    GATEWAY_HOST: '127.0.0.1',
    GATEWAY_SLOW_MS: `${slowMs}`,
    GATEWAY_ANSWER_FLOOR_MS: '0',
    GATEWAY_MAX_PHONE_REQUESTS: '300',
  };
  ({ mesh, leave } = await temporaryMesh({ env }));
  phones = phoneEndpoint(mesh);
  partners = partnerEndpoint(mesh);
  phone = http1Client(phones);
  lab = http1Client(partners);
});
afterAll(async () => {
  phone?.close();
  lab?.close();
  await leave?.();
});

/** S 1.13: TLS 1.3's own suites, and ECDHE or DHE with AES-GCM. */
const contractSuite =
  /^(TLS_(AES_(128|256)_GCM|CHACHA20_POLY1305)_SHA(256|384)|(ECDHE-(ECDSA|RSA)|DHE-RSA)-AES(128|256)-GCM-SHA(256|384))$/;

/** Protocol and suite of a handshake, or undefined when it fails. */
function handshake(
  endpoint: Endpoint,
  options: ConnectionOptions,
): Promise<{ protocol: string; suite: string } | undefined> {
  return new Promise((done) => {
    try {
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', ...endpoint, ...options });
      socket.once('secureConnect', () => {
        const { name, version } = socket.getCipher();
        done({ protocol: socket.getProtocol() ?? version, suite: name });
        socket.destroy();
      });
      socket.once('error', () => done(undefined));
    } catch {
      done(undefined); // a suite that this client does not know
    }
  });
}

const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;

test('TLS 1.2 and 1.3 are spoken, 1.0 and 1.1 are not, on both ports', async () => {
  for (const endpoint of [phones, partners]) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      expect((await handshake(endpoint, { minVersion: version, maxVersion: version }))?.protocol).toBe(version);
    }
    for (const maxVersion of ['TLSv1', 'TLSv1.1'] as const) {
      expect(await handshake(endpoint, { ...old, maxVersion })).toBeUndefined();
    }
  }
  // This client can speak them: to a server that allows it, it does.
  const { cert = Buffer.alloc(0), key = Buffer.alloc(0) } = partners;
  const lax = createServer({
    ...old,
    maxVersion: 'TLSv1.1',
    cert,
    key,
    secureOptions: constants.SSL_OP_NO_TICKET,
  }).listen(0);
  const { port } = lax.address() as { port: number };
  expect(
    await handshake({ ...phones, port }, { ...old, maxVersion: 'TLSv1.1', rejectUnauthorized: false }),
  ).toMatchObject({ protocol: 'TLSv1.1' });
  lax.close();
});

test('of all suites that this client knows only those of the contract are spoken', async () => {
  for (const endpoint of [phones, partners]) {
    const spoken = new Set<string>();
    for (const name of getCiphers().map((cipher) => cipher.toUpperCase())) {
      const tls13 = name.startsWith('TLS_');
      const version = tls13 ? 'TLSv1.3' : 'TLSv1.2';
      const found = await handshake(endpoint, {
        minVersion: version,
        maxVersion: version,
        ciphers: tls13 ? name : `${name}:@SECLEVEL=0`,
      });
      if (found !== undefined) spoken.add(found.suite);
    }
    for (const suite of spoken) expect(suite).toMatch(contractSuite);
    // The local certificate is an ECDSA one, so the suites with RSA cannot be tried here.
    expect([...spoken].sort()).toEqual([
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
    ]);
  }
}, 60_000);

test('rapid resets, streams without end, endless heads and control floods over HTTP/2 are bounded and hurt nobody else', async () => {
  const gateway = mesh.processes.get('gateway')?.pid ?? 0;
  const lanes = Array.from({ length: 4 }, () => http1Client(phones));
  const register = () => registration(aHashedGuid());
  const before = await latencies(lanes, register, 1_000);
  const memory = pssMegabytes([gateway]);
  const floods: Record<string, Promise<FloodOutcome>> = {
    'rapid resets': flood(phones, rapidResets(20_000), 2 * slowMs),
    'open streams': flood(phones, openStreams(2_000), 2 * slowMs),
    'endless head': flood(phones, endlessHead(2_000), 2 * slowMs),
    pings: flood(phones, repeated(50_000, ping), 1_000),
    settings: flood(phones, repeated(50_000, settings), 1_000),
  };
  const during = await latencies(lanes, register, 2_000);
  const outcomes = Object.fromEntries(
    await Promise.all(Object.entries(floods).map(async ([name, outcome]) => [name, await outcome] as const)),
  );
  const grown = pssMegabytes([gateway]) - memory;
  for (const lane of lanes) lane.close();

  expect(outcomes['rapid resets']?.ended, 'rapid resets').toBe(true);
  expect(outcomes['endless head']?.ended, 'endless head').toBe(true);
  // At most 128 of them were ever open; the others were refused, or the connection was ended.
  const streams = outcomes['open streams'];
  expect(streams?.ended || (streams?.heard.get(frameType.rstStream) ?? 0) >= 2_000 - 128, 'open streams').toBe(true);
  expect([...during.statuses]).toEqual([201]);
  expect(during.p99).toBeLessThan(10 * before.p99 + 250);
  expect(grown).toBeLessThan(150);
  await intakeHolds(phone, lab, mesh.clock.nowMs());
}, 60_000);

/** How many transactions have written so far, in all databases: each takes a number, and one that only reads takes none. */
async function transactionsThatWrote(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ next: string }>('select pg_snapshot_xmax(pg_current_snapshot())::text as next');
  return Number(rows[0]?.next);
}

test("requests of the shipped apps' fake playbooks are served and cost no database write", async () => {
  const url = mesh.databaseUrl('VERIFICATION');
  const pool = openPool({ url, poolSize: 1, setting: 'VERIFICATION_DATABASE_URL' }, silentLog);
  const first = await transactionsThatWrote(pool);
  for (let i = 0; i < 20; i++) expect(answered(await phone.send(registration(aHashedGuid()))).status).toBe(201);
  const before = await transactionsThatWrote(pool);
  expect(before - first).toBeGreaterThanOrEqual(20);

  const statuses = new Map<string, number>();
  const send = async (request: WireRequest) => {
    const { status } = answered(await phone.send(request));
    statuses.set(`${request.path} ${status}`, (statuses.get(`${request.path} ${status}`) ?? 0) + 1);
  };
  for (let i = 0; i < 100; i++) {
    await fakeSequence({
      random: secureRandom,
      http: async ({ method, path, headers, body }) => {
        const answer = answered(
          await phone.send({ method, path, headers: Object.entries(headers), ...(body ? { body } : {}) }),
        );
        statuses.set(`${path} ${answer.status}`, (statuses.get(`${path} ${answer.status}`) ?? 0) + 1);
        return answer;
      },
    });
    for (const request of iosDummies()) await send(request);
  }
  const after = await transactionsThatWrote(pool);
  await pool.close();
  expect(Object.fromEntries(statuses)).toEqual({
    '/version/v1/tan 201': 400,
    '/version/v1/registrationToken 201': 100,
    '/version/v1/testresult 200': 100,
    '/version/v1/diagnosis-keys 200': 200,
  });
  // They came one after the other, so none could hide in another's transaction; PostgreSQL's own upkeep may take a few.
  expect(after - before).toBeLessThan(10);
}, 60_000);

/** S 5.2, the iOS column, and the two calls that only fakes of other servers' making use. */
function iosDummies(): WireRequest[] {
  const token = '63b4d3ff-e0de-4bd4-90c1-17c2bb683a2f';
  const call = (path: string, value: object): WireRequest => {
    const bare = JSON.stringify({ ...value, requestPadding: '' }).length;
    const body = Buffer.from(JSON.stringify({ ...value, requestPadding: randomText(250 - bare, secureRandom) }));
    return {
      path,
      headers: [
        ['content-type', 'application/json'],
        ['cwa-fake', '1'],
        ['cwa-header-padding', randomText(14, secureRandom)],
      ],
      body,
    };
  };
  const padding = randomText(28 * 14, secureRandom);
  // Field 2 with 392 octets, field 5 with true.
  const payload = Buffer.concat([Buffer.of(0x12, 0x88, 0x03), Buffer.from(padding), Buffer.of(0x28, 1)]);
  return [
    call('/version/v1/tan', { registrationToken: token }),
    call('/version/v1/tan', { registrationToken: token }),
    call('/version/v1/registrationToken', { keyType: 'GUID', key: 'a'.repeat(64) }),
    call('/version/v1/testresult', { registrationToken: token }),
    {
      path: '/version/v1/diagnosis-keys',
      headers: [
        ['content-type', 'application/x-protobuf'],
        ['cwa-authorization', ''],
        ['cwa-fake', '1'],
        ['cwa-header-padding', randomText(36, secureRandom)],
      ],
      body: payload,
    },
  ];
}
