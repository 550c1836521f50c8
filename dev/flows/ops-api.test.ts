import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAuthority } from '../../lib/pki/authority.ts';
import { type TestPki, testPki } from '../../lib/testing/pki.ts';
import { startIssuer } from '../../ops-api/fixtures/issuer.ts';
import { type Team, teams } from '../../ops-api/teams.ts';
import { guidedJourney } from '../journey/guided-journey.ts';
import { openLab } from '../journey/lab.ts';
import { operatorName } from '../mesh/certificates.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { type OpsClient, openOpsClient, opsClientOf } from '../operators/ops-client.ts';
import { untilFlushed } from './flushed.ts';
import { temporaryMesh } from './mesh-home.ts';

let mesh: Mesh;
let leave: () => Promise<void>;
let pki: TestPki;
let issuer: Awaited<ReturnType<typeof startIssuer>>;
/** From before the journey on; after 22:00 it takes more than the 24 hours of which is told unasked. */
let range: { readonly from: string };
const clients = new Map<Team, OpsClient>();

beforeAll(async () => {
  pki = await testPki('issuer CA');
  issuer = await startIssuer(pki);
  const { caFile } = await pki.files('issuer');
  const env = { TELEMETRY_FLUSH_SECONDS: '1', OPS_API_OIDC_ISSUER: issuer.issuer, OPS_API_OIDC_CA_FILE: caFile };
  ({ mesh, leave } = await temporaryMesh({ env }));
  range = { from: mesh.clock.now().toISOString() };
  for (const team of teams) clients.set(team, opsClientOf(mesh.home, port(), operatorName(team)));
});
afterAll(async () => {
  for (const client of clients.values()) await client.close();
  await leave?.();
  await issuer?.close();
  pki?.remove();
});

const signInFirst = expect.stringMatching(/^Sign in with [^/{}]*$/);
const port = (): number => mesh.ports.OPS_API_OPERATOR_PORT;
const stored = async (team: Team, name: string, variables: object = {}) => {
  const answer = await clients.get(team)?.stored(name, variables);
  expect(answer?.status).toBe(200);
  if (answer === undefined) throw new Error('no client');
  return answer;
};
const own: Readonly<Record<Team, readonly string[]>> = {
  'ops-cwa': ['services', 'certificates', 'capacity', 'intake', 'distribution', 'probe'],
  'ops-verification': ['services', 'certificates', 'capacity', 'verification', 'labs'],
  'ops-infrastructure': ['services', 'certificates', 'capacity', 'operations'],
  'ops-security': ['certificates', 'security'],
};

interface Named {
  readonly name: string;
  readonly count: { readonly total: number | null };
}
const totalOf = (counts: readonly Named[], name: string): number =>
  counts.find((count) => count.name === name)?.count.total ?? 0;

test('after a journey and a busy laboratory, each team finds its figures', async () => {
  expect(await guidedJourney(mesh, { line: () => {} })).toBe(true);
  const lab = openLab(mesh.home, mesh.ports.GATEWAY_PARTNER_PORT);
  const guids = Array.from(
    { length: 200 },
    (_, at) => `ABCDEF-0123${String(at).padStart(4, '0')}-89AB-4CDE-8F01-23456789ABCD`,
  );
  expect((await lab.report(guids, 'negative')).status).toBe(204);
  await lab.close();
  await flushed();
  // Small groups are told of hours that are over.
  await mesh.advanceTo(mesh.clock.nowMs() + 3_600_000);
  await flushed();

  const intake = (await stored('ops-cwa', 'intake', { range })).data.intake;
  expect(intake.uploadsAccepted.total).toBeGreaterThan(0);
  expect(intake.downloads.total).toBeGreaterThan(0);
  const distribution = (await stored('ops-cwa', 'distribution', { range })).data.distribution;
  expect(totalOf(distribution.runsByOutcome, 'done')).toBeGreaterThan(2);
  expect(distribution.packages.edges.length).toBeGreaterThan(2);
  expect(distribution.runs.edges[0].node.outcome).toBe('done');
  expect(totalOf(distribution.keysPublished, 'diagnosis')).toBeGreaterThanOrEqual(140);

  const { verification } = (await stored('ops-verification', 'verification', { range })).data;
  // TANs are the echo of uploads, and told from fifty on.
  const { byOutcome } = verification.registrations.find((one: { keyType: string }) => one.keyType === 'guid');
  expect(totalOf(byOutcome, 'registered')).toBeGreaterThan(0);
  const negative = verification.results.find(
    (one: { family: string; result: string }) => one.family === 'pcr' && one.result === 'negative',
  );
  expect(negative.count.total).toBeGreaterThanOrEqual(195);
  const [partner] = (await stored('ops-verification', 'labs', { range })).data.labs.partners.edges;
  expect(partner.node).toMatchObject({ name: 'local-lab', resultsStored: { suppressed: false } });
  expect(partner.node.resultsStored.total).toBeGreaterThanOrEqual(195);

  const health = Object.fromEntries((await servicesSeen()).map(({ name, health }) => [name, health]));
  // The prober is started where somebody watches, not here.
  expect(health).toEqual({
    distribution: 'UP',
    gateway: 'UP',
    'ops-api': 'UP',
    prober: expect.stringMatching(/^(AWAITED|DOWN)$/),
    submission: 'UP',
    'test-result': 'UP',
    verification: 'UP',
  });
  const { capacity } = (await stored('ops-infrastructure', 'capacity', { range })).data;
  const gateway = capacity.edges.find(({ node }: { node: { process: string } }) => node.process === 'gateway').node;
  expect(gateway.requests.total).toBeGreaterThan(50);
  expect(gateway.caps.edges.length).toBeGreaterThan(3);
});

test('other teams are refused, field by field', async () => {
  const all = [...new Set(Object.values(own).flat())];
  for (const team of teams) {
    for (const name of all) {
      const { data, errors } = await stored(team, name);
      if (own[team].includes(name)) expect(errors, `${team} ${name}`).toBeUndefined();
      else expect([data?.[name], errors?.[0]?.extensions?.code], `${team} ${name}`).toEqual([null, 'FORBIDDEN']);
    }
  }
});

test('without a certificate of an operator: 401, and the security team sees it', async () => {
  const before = await securityEvents();
  for (const certificate of [undefined, 'gateway', 'lab']) {
    const client = opsClientOf(mesh.home, port(), certificate);
    expect(await client.stored('me')).toMatchObject({ status: 401, text: signInFirst });
    expect(await client.get('/')).toMatchObject({ status: 401, text: signInFirst });
    await client.close();
  }
  // A certificate that another authority signed, whatever it says.
  const stranger = await createAuthority('CWA local authority', new Date());
  const pair = await stranger.issue({ commonName: 'operator', organizationalUnit: 'ops-security', usage: 'client' });
  const client = openOpsClient({ port: port(), ca: readFileSync(join(mesh.home, 'pki', 'ca.crt'), 'utf8'), ...pair });
  expect(await client.stored('me')).toMatchObject({ status: 401, text: signInFirst });
  await client.close();
  await flushed();
  expect((await securityEvents()) - before).toBe(7);
});

test('a token lets in whom it names; one with the roles of two teams is refused and reported', async () => {
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'), 'utf8');
  const asked = async (roles: readonly string[]) => {
    const client = openOpsClient({ port: port(), ca, token: await issuer.token({ roles }) });
    const { status, data } = await client.stored('me');
    await client.close();
    return [status, data?.me.team];
  };
  expect(await asked(['ops-verification'])).toEqual([200, 'ops-verification']);
  const before = await securityEvents('role-violation');
  expect(await asked(['ops-cwa', 'ops-security'])).toEqual([401, undefined]);
  await flushed();
  expect((await securityEvents('role-violation')) - before).toBe(1);
});

test('the status page says how things are', async () => {
  const page = await clients.get('ops-cwa')?.get('/');
  expect(page?.status).toBe(200);
  expect(page?.text).toContain('Uploads accepted');
  expect(page?.text).toContain('>prober<');
});

test('cwa ops asks as an operator of a team', async () => {
  const cwa = async (...args: string[]) => {
    const env = { PATH: process.env['PATH'], CWA_HOME: mesh.home, OPS_API_OPERATOR_PORT: String(port()) };
    const run = promisify(execFile)(process.execPath, ['dev/cwa.ts', 'ops', ...args], { env });
    return run.then(
      ({ stdout }) => ({ status: 0, out: stdout }),
      ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({
        status: code,
        out: stdout + stderr,
      }),
    );
  };
  const query = await cwa('query', 'verification', '--team', 'ops-verification', '--resolution', 'DAY', '--json');
  expect(query.status).toBe(0);
  expect(JSON.parse(query.out)).toMatchObject({ data: { verification: { range: { resolution: 'DAY' } } } });
  expect(await cwa('query', 'verification', '--team', 'ops-cwa')).toMatchObject({ status: 1 });
  const unknown = await cwa('query', 'elsewhere');
  expect(unknown).toMatchObject({ status: 2, out: expect.stringContaining('neither a file nor a stored query') });
  const file = join(mesh.home, 'query.graphql');
  writeFileSync(file, '{ me { team } }');
  expect(JSON.parse((await cwa('query', file)).out)).toEqual({ data: { me: { team: 'ops-cwa' } } });
  await mesh.processes.get('distribution')?.kill();
  const healthOfKilled = async () => (await servicesSeen()).find(({ name }) => name === 'distribution')?.health;
  await expect.poll(healthOfKilled).toBe('DOWN');
  const status = await cwa('status');
  await mesh.restart('distribution');
  expect(status).toMatchObject({
    status: 1,
    out: expect.stringContaining('! distribution does not answer. (runbook ProcessDown)'),
  });
  expect(status.out).toMatch(/^gateway +up +running for /m);
});

test('what was known outlives a restart of the ops API', async () => {
  const before = (await stored('ops-cwa', 'intake', { range })).data.intake.uploadsAccepted.total;
  await mesh.processes.get('ops-api')?.stop();
  await mesh.restart('ops-api');
  await flushed();
  expect((await stored('ops-cwa', 'intake', { range })).data.intake.uploadsAccepted.total).toBe(before);
});

async function securityEvents(kind = 'sign-in-refused'): Promise<number> {
  const { data } = await stored('ops-security', 'security');
  interface Edge {
    readonly node: { readonly kind: string; readonly count: { readonly total: number } };
  }
  const edges = (data.security.events.edges as Edge[]).filter(({ node }) => node.kind === kind);
  return edges.reduce((sum, { node }) => sum + node.count.total, 0);
}

interface ServiceEdge {
  readonly node: {
    readonly name: string;
    readonly health: string;
    readonly instances: { readonly edges: readonly { readonly node: { readonly uptimeSeconds: number | null } }[] };
  };
}

async function servicesSeen(): Promise<readonly ServiceEdge['node'][]> {
  const { services } = (await stored('ops-infrastructure', 'services')).data;
  return (services.edges as ServiceEdge[]).map(({ node }) => node);
}

/** Until every process has shown what it counted until now, and the ops API has asked for it; there is no prober here. */
const flushed = (): Promise<void> =>
  untilFlushed(async () => {
    const seen = (await servicesSeen()).filter(({ name }) => name !== 'prober');
    return new Map(seen.map(({ name, instances }) => [name, instances.edges[0]?.node.uptimeSeconds ?? undefined]));
  });
