import { connect } from 'node:tls';
import { exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { testPki } from '../../lib/testing/pki.ts';
import { audience } from '../fixtures/issuer.ts';
import { startOps } from '../fixtures/start-ops.ts';

let ops: Awaited<ReturnType<typeof startOps>>;
beforeAll(async () => {
  ops = await startOps({ env: { OPS_API_MAX_REQUESTS_PER_MINUTE: '1000' } });
});
afterAll(() => ops?.close());
beforeEach(() => {
  ops.events.length = 0;
  ops.clock.advance(60_000);
});

const me = '{ me { team mayAsk } }';
const signInFirst = expect.stringContaining('client certificate');

test('a certificate of each team lets in, and so does a token with a second factor', async () => {
  for (const team of ops.teams) {
    const byCertificate = await ops.ask(me, await ops.ofTeam(team));
    expect(byCertificate.json.data.me.team).toBe(team);
    const byToken = await ops.ask(me, {
      token: await ops.issuer.token({ roles: [team, 'offline_access'], amr: ['mfa'] }),
    });
    expect(byToken.json.data.me.team).toBe(team);
  }
  expect(ops.events).toEqual([]);
});

test('nobody gets anything without one: not a page, not a path, not a schema', async () => {
  for (const given of [
    { method: 'GET', path: '/' },
    { method: 'GET', path: '/graphql', headers: { accept: 'text/html' } },
    { method: 'GET', path: '/health' },
    { method: 'GET', path: '/-' },
    { method: 'OPTIONS', path: '/graphql' },
    { body: JSON.stringify({ query: '{ __schema { types { name } } }' }) },
  ]) {
    const got = await ops.send(given);
    expect([got.status, got.text]).toEqual([401, signInFirst]);
    expect(got.headers['www-authenticate']).toMatch(/^Bearer/);
  }
  expect(ops.events).toEqual(Array.from({ length: 6 }, () => ({ type: 'sign-in-refused', reason: 'nothing-shown' })));
  expect(await ops.metrics.seen('cwa.ops.requests', { 'cwa.team': 'nobody', 'cwa.outcome': 'refused' })).toBe(6);
});

const refusedTokens: [string, () => Promise<string> | string][] = [
  ['token-expired', () => ops.issuer.token({}, { expires: '-1m' })],
  ['token-audience', () => ops.issuer.token({ aud: 'another' })],
  ['token-issuer', () => ops.issuer.token({ iss: 'https://elsewhere.example' })],
  ['token-invalid', async () => ops.issuer.token({}, { key: (await generateKeyPair('ES256')).privateKey })],
  [
    'token-algorithm',
    () =>
      new SignJWT({ roles: ['ops-cwa'], amr: ['otp'], sub: 'x' })
        .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
        .setIssuer(ops.issuer.issuer)
        .setAudience(audience)
        .setExpirationTime('5m')
        .sign(new TextEncoder().encode('0123456789abcdef0123456789abcdef')),
  ],
  [
    'token-algorithm',
    () =>
      new UnsecuredJWT({ roles: ['ops-cwa'], amr: ['otp'], sub: 'x' })
        .setIssuer(ops.issuer.issuer)
        .setAudience(audience)
        .setExpirationTime('5m')
        .encode(),
  ],
  [
    'token-algorithm',
    async () =>
      new SignJWT({ roles: ['ops-cwa'], amr: ['otp'], sub: 'x' })
        .setProtectedHeader({ alg: 'HS256', kid: 'k1' })
        .setIssuer(ops.issuer.issuer)
        .setAudience(audience)
        .setExpirationTime('5m')
        .sign(new TextEncoder().encode(await exportSPKI(ops.issuer.publicKey))),
  ],
  ['token-invalid', () => ops.issuer.token({ nbf: Math.floor(Date.now() / 1_000) + 600 })],
  ['token-invalid', async () => `${(await ops.issuer.token()).slice(0, -4)}AAAA`],
  ['token-invalid', () => 'x'.repeat(9_000)],
  ['token-invalid', () => 'no.jwt.atall'],
  ['no-second-factor', () => ops.issuer.token({ amr: ['pwd'] })],
  ['no-second-factor', () => ops.issuer.token({ amr: undefined })],
  ['no-second-factor', () => ops.issuer.token({ amr: 'mfa' })],
  ['no-role', () => ops.issuer.token({ roles: [] })],
  ['no-role', () => ops.issuer.token({ roles: ['admin', 'OPS-CWA', 'ops-cwa '] })],
  ['token-invalid', () => ops.issuer.token({ sub: undefined as never })],
];
test.each(refusedTokens)('refused and reported: %s', async (reason, token) => {
  const got = await ops.ask(me, { token: await token() });
  expect([got.status, got.text]).toEqual([401, signInFirst]);
  expect(ops.events).toEqual([{ type: 'sign-in-refused', reason }]);
});

test('certificates of others: unsigned, of a process, of a laboratory', async () => {
  const stranger = await testPki('another CA');
  const request = { commonName: 'operator', organizationalUnit: 'ops-cwa', usage: 'client' } as const;
  const unsigned = await stranger.authority.issue(request);
  stranger.remove();
  const spiffe = await ops.certificate('gateway', { processName: 'gateway', organizationalUnit: 'ops-cwa' });
  const lab = await ops.certificate('lab', { commonName: 'lab', usage: 'client' });
  for (const [identity, reason] of [
    [unsigned, 'certificate-untrusted'],
    [spiffe, 'certificate-of-a-process'],
    [lab, 'no-role'],
  ] as const) {
    ops.events.length = 0;
    expect((await ops.ask(me, identity)).status).toBe(401);
    expect(ops.events).toEqual([{ type: 'sign-in-refused', reason }]);
  }
});

test('decision 36: roles of two teams are refused and reported, in one token or in token and certificate', async () => {
  const two = { token: await ops.issuer.token({ roles: ['ops-cwa', 'ops-security'] }) };
  const both = { ...(await ops.ofTeam('ops-cwa')), token: await ops.issuer.token({ roles: ['ops-verification'] }) };
  for (const identity of [two, both]) {
    ops.events.length = 0;
    expect((await ops.ask(me, identity)).status).toBe(401);
    expect(ops.events).toEqual([{ type: 'role-violation', reason: 'roles-of-two-teams' }]);
  }
  const same = { ...(await ops.ofTeam('ops-cwa')), token: await ops.issuer.token() };
  expect((await ops.ask(me, same)).status).toBe(200);
  const bad = { ...(await ops.ofTeam('ops-cwa')), token: await ops.issuer.token({ amr: [] }) };
  expect((await ops.ask(me, bad)).status).toBe(401);
});

test('keys are fetched once, and an issuer that is away lets nobody in', async () => {
  const other = await startOps();
  try {
    other.issuer.state.up = false;
    const token = await other.issuer.token();
    expect((await other.ask(me, { token })).status).toBe(401);
    expect(other.events).toEqual([{ type: 'sign-in-refused', reason: 'issuer-unreachable' }]);
    other.issuer.state.up = true;
    other.issuer.state.asked = 0;
    for (let times = 0; times < 5; times++) expect((await other.ask(me, { token })).status).toBe(200);
    expect(other.issuer.state.asked).toBe(2);
  } finally {
    await other.close();
  }
});

test('a flood of refusals is reported in part', async () => {
  for (let times = 0; times < 100; times++) await ops.send({ method: 'GET', path: '/' });
  expect(ops.events.length).toBeGreaterThan(50);
  expect(ops.events.length).toBeLessThan(75);
  // Nobody hides behind it.
  ops.events.length = 0;
  await ops.ask(me, { token: await ops.issuer.token({ amr: ['pwd'] }) });
  await ops.ask(me, { token: await ops.issuer.token({ roles: ['ops-cwa', 'ops-security'] }) });
  expect(ops.events).toEqual([
    { type: 'sign-in-refused', reason: 'no-second-factor' },
    { type: 'role-violation', reason: 'roles-of-two-teams' },
  ]);
});

test('below TLS 1.3 there is no connection', async () => {
  const refused = await new Promise((resolve) => {
    const socket = connect({
      host: '127.0.0.1',
      port: ops.port,
      ca: ops.ca,
      servername: 'localhost',
      maxVersion: 'TLSv1.2',
      minVersion: 'TLSv1.2',
    });
    socket.on('error', () => resolve(true)).on('secureConnect', () => resolve(false));
  });
  expect(refused).toBe(true);
});
