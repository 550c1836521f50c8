import { join } from 'node:path';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect } from 'node:tls';
import { getIntrospectionQuery } from 'graphql';
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { testPki } from '../lib/testing/pki.ts';
import { recordedSpans } from '../lib/testing/spans.ts';
import { limits } from './limits.ts';
import { audience } from './fixtures/issuer.ts';
import { startOps } from './fixtures/start-ops.ts';
import { readOperations, sha256Of } from './persisted-operations.ts';
import { loadServices } from './service.ts';

let ops: Awaited<ReturnType<typeof startOps>>;
beforeAll(async () => {
  ops = await startOps({ env: { OPS_API_MAX_REQUESTS_PER_MINUTE: '1000', OPS_API_TIMEOUT_MS: '2000' } });
});
afterAll(() => ops?.close());
beforeEach(() => {
  ops.events.length = 0;
  ops.clock.advance(60_000);
});

interface Identity {
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}
interface Given extends Identity {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}
interface Got {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  // oxlint-disable-next-line no-explicit-any
  readonly json: any;
}

function send(
  { method = 'POST', path = '/graphql', headers = {}, body, token, cert, key }: Given,
  to = ops,
): Promise<Got> {
  const options: RequestOptions = {
    host: '127.0.0.1',
    port: to.port,
    servername: 'localhost',
    ca: to.ca,
    agent: false,
    method,
    path,
    headers: {
      ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(cert && key ? { cert, key } : {}),
  };
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    sent.on('error', reject).end(body);
  });
}

const ask = (query: string, identity: Identity, more: Omit<Given, 'body'> = {}, variables: object = {}) =>
  send({ ...identity, ...more, body: JSON.stringify({ query, variables }) });
const me = '{ me { team mayAsk } }';

const signInFirst = expect.stringContaining('client certificate');

describe('sign-in', () => {
  test('a certificate of each team lets in, and so does a token with a second factor', async () => {
    for (const team of ops.teams) {
      const byCertificate = await ask(me, await ops.ofTeam(team));
      expect(byCertificate.json.data.me.team).toBe(team);
      const byToken = await ask(me, {
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
      const got = await send(given);
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
    const got = await ask(me, { token: await token() });
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
      expect((await ask(me, identity)).status).toBe(401);
      expect(ops.events).toEqual([{ type: 'sign-in-refused', reason }]);
    }
  });

  test('decision 36: roles of two teams are refused and reported, in one token or in token and certificate', async () => {
    const two = { token: await ops.issuer.token({ roles: ['ops-cwa', 'ops-security'] }) };
    const both = { ...(await ops.ofTeam('ops-cwa')), token: await ops.issuer.token({ roles: ['ops-verification'] }) };
    for (const identity of [two, both]) {
      ops.events.length = 0;
      expect((await ask(me, identity)).status).toBe(401);
      expect(ops.events).toEqual([{ type: 'role-violation', reason: 'roles-of-two-teams' }]);
    }
    const same = { ...(await ops.ofTeam('ops-cwa')), token: await ops.issuer.token() };
    expect((await ask(me, same)).status).toBe(200);
    const bad = { ...(await ops.ofTeam('ops-cwa')), token: await ops.issuer.token({ amr: [] }) };
    expect((await ask(me, bad)).status).toBe(401);
  });

  test('keys are fetched once, and an issuer that is away lets nobody in', async () => {
    const other = await startOps();
    try {
      other.issuer.state.up = false;
      const token = await other.issuer.token();
      const body = JSON.stringify({ query: me });
      expect((await send({ token, body }, other)).status).toBe(401);
      expect(other.events).toEqual([{ type: 'sign-in-refused', reason: 'issuer-unreachable' }]);
      other.issuer.state.up = true;
      other.issuer.state.asked = 0;
      for (let times = 0; times < 5; times++) expect((await send({ token, body }, other)).status).toBe(200);
      expect(other.issuer.state.asked).toBe(2);
    } finally {
      await other.close();
    }
  });

  test('a flood of refusals is reported in part', async () => {
    for (let times = 0; times < 100; times++) await send({ method: 'GET', path: '/' });
    expect(ops.events.length).toBeGreaterThan(50);
    expect(ops.events.length).toBeLessThan(75);
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
});

describe('limits', () => {
  const fault = async (query: string, variables: object = {}) => {
    const { status, json, text } = await ask(query, await ops.ofTeam('ops-cwa'), {}, variables);
    return { status, code: json?.errors?.[0]?.extensions?.code as string | undefined, text };
  };

  test('depth, cost and aliases', async () => {
    const deep = `{ __schema { types { fields { type { ${'ofType { '.repeat(30)} name ${'} '.repeat(30)} } } } } }`;
    expect(await fault(deep)).toMatchObject({ code: 'QUERY_TOO_LARGE', text: expect.stringContaining('25 levels') });
    expect((await fault(getIntrospectionQuery())).code).toBeUndefined();
    const chain = `{ services { edges { node { instances { edges { node { certificates { name } } } } } } } }`;
    expect((await fault(chain)).code).toBeUndefined();
    expect((await fault(`{ ${Array.from({ length: 40 }, (_, at) => `a${at}: me { team }`).join(' ')} }`)).code).toBe(
      'QUERY_TOO_LARGE',
    );
    const costly =
      '{ services(first: 100) { edges { node { instances(first: 100) { edges { node { id version commit health } } } } } } }';
    expect((await fault(costly)).code).toBe('QUERY_TOO_LARGE');
    const nested = '{ ...a } fragment a on Query { services { totalCount } ...a }';
    expect((await fault(nested)).code).toBe('GRAPHQL_VALIDATION_FAILED');
  });

  test('what is no query, or not one query, is the mistake of who asked, and no failure', async () => {
    const failures = await ops.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'failed' });
    for (const query of ['mutation { x }', 'subscription { x }', 'query A { me { team } } query B { me { team } }'])
      expect(await fault(query)).toMatchObject({ code: 'BAD_REQUEST', text: expect.stringContaining('operationName') });
    expect(await ops.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'failed' })).toBe(failures);
  });

  test('more than 16 KiB is not read', async () => {
    const body = JSON.stringify({ query: `{ me { team } } ${'#'.repeat(limits.bytes)}` });
    const { status } = await send({ ...(await ops.ofTeam('ops-cwa')), body });
    expect(status).toBe(413);
  });

  test('so many requests a minute for each identity, and no fewer for others', async () => {
    const few = await startOps({ env: { OPS_API_MAX_REQUESTS_PER_MINUTE: '5' } });
    try {
      const body = JSON.stringify({ query: me });
      const statuses = [];
      for (let times = 0; times < 7; times++)
        statuses.push((await send({ ...(await few.ofTeam('ops-cwa')), body }, few)).status);
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
      expect((await send({ ...(await few.ofTeam('ops-security')), body }, few)).status).toBe(200);
      few.clock.advance(12_000);
      expect((await send({ ...(await few.ofTeam('ops-cwa')), body }, few)).status).toBe(200);
      expect(await few.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'limited' })).toBe(2);
    } finally {
      await few.close();
    }
  });

  test('who sends slowly is cut', async () => {
    const { cert, key } = await ops.ofTeam('ops-cwa');
    const ended = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: ops.port, ca: ops.ca, servername: 'localhost', cert, key });
      socket.write(
        'POST /graphql HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
      );
      socket
        .on('close', () => resolve(true))
        .on('error', () => resolve(true))
        .resume();
    });
    expect(ended).toBe(true);
  }, 15_000);
});

describe('over HTTP', () => {
  test('queries come by POST with JSON alone; nothing can be changed', async () => {
    const identity = await ops.ofTeam('ops-cwa');
    const statusOf = async (given: Given) => (await send({ ...identity, ...given })).status;
    const query = encodeURIComponent(me);
    expect(await statusOf({ method: 'GET', path: `/graphql?query=${query}` })).toBe(405);
    expect(await statusOf({ method: 'GET', path: `/graphql?query=${query}`, headers: { accept: 'text/html' } })).toBe(
      405,
    );
    expect(await statusOf({ method: 'GET', path: '/graphql', headers: { accept: 'text/html' } })).toBe(405);
    expect(await statusOf({ method: 'PUT', path: '/graphql' })).toBe(405);
    expect(await statusOf({ method: 'POST', path: '/' })).toBe(405);
    expect(await statusOf({ method: 'GET', path: '/elsewhere' })).toBe(404);
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/graphql',
      'application/jsonp',
    ]) {
      expect(await statusOf({ headers: { 'content-type': type }, body: JSON.stringify({ query: me }) }), type).toBe(
        415,
      );
    }
    const mutation = await ask('mutation { me { team } }', identity);
    expect(mutation.json.data ?? null).toBeNull();
    expect(mutation.json.errors).toHaveLength(1);
    const batch = await send({ ...identity, body: JSON.stringify([{ query: me }, { query: me }]) });
    expect(batch.status).toBe(400);
  });

  test('a page of another site gets nothing, though the browser has the certificate', async () => {
    const identity = await ops.ofTeam('ops-cwa');
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
    ]) {
      const got = await ask(me, identity, { headers: headers as Record<string, string> });
      expect([got.status, got.text]).toEqual([403, expect.stringContaining('another site')]);
      expect(got.headers['access-control-allow-origin']).toBeUndefined();
    }
    const own = await ask(me, identity, {
      headers: { origin: 'https://localhost:1', host: 'localhost:1', 'sec-fetch-site': 'same-origin' },
    });
    expect(own.status).toBe(200);
    expect(own.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('every answer bears the security headers', async () => {
    const identity = await ops.ofTeam('ops-cwa');
    for (const got of [
      await send({ method: 'GET', path: '/' }),
      await ask(me, identity),
      await send({ ...identity, method: 'GET', path: '/' }),
    ]) {
      expect(got.headers).toMatchObject({
        'strict-transport-security': 'max-age=31536000',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cache-control': 'no-store',
      });
      expect(got.headers['content-security-policy']).toMatch(/^default-src 'none'/);
      expect(got.headers['server']).toBeUndefined();
    }
  });

  test('errors repeat nothing of the query, its variables or the code', async () => {
    const identity = await ops.ofTeam('ops-cwa');
    const canary = 'CANARY7f3a';
    const bodies = [
      JSON.stringify({ query: `{ ${canary} }` }),
      JSON.stringify({ query: `{ me { team ${canary} } }` }),
      JSON.stringify({ query: `{ intake(range: { from: "${canary}" }) { range { from } } }` }),
      JSON.stringify({ query: `{ distribution { runs(after: "${canary}") { totalCount } } }` }),
      JSON.stringify({
        query: `query ($range: RangeInput) { intake(range: $range) { range { from } } }`,
        variables: { range: { from: canary } },
      }),
      JSON.stringify({ query: `query ($range: ${canary}) { me { team } }` }),
      JSON.stringify({ query: `query ($n: Int) { services(first: $n) { totalCount } }`, variables: { n: canary } }),
      JSON.stringify({ query: `{ me { team } ${canary}` }),
      JSON.stringify({ query: me, operationName: canary }),
      JSON.stringify({ query: me, [canary]: 1 }),
      JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: canary } } }),
      JSON.stringify({ query: { [canary]: 1 } }),
      `{"query": ${canary}`,
      JSON.stringify(canary),
    ];
    for (const body of bodies) {
      const got = await send({ ...identity, body });
      expect(got.text, body).not.toContain(canary);
      expect(got.json.errors[0].extensions.code, got.text).toMatch(/^[A-Z_]+$/);
      expect(got.text).not.toMatch(/\\n +at |node_modules|\.ts\b|originalError|stack/);
    }
    expect(JSON.stringify([ops.log.lines, ops.events])).not.toContain(canary);
  });

  test('what fails inside is not shown, is logged without its text, and counts as failed', async () => {
    const canary = 'CANARY91bb';
    const services = await loadServices(join(import.meta.dirname, 'services'));
    const broken = services.map((service) => {
      if (service.name !== 'prober') return service;
      const fail = () => Promise.reject(new Error(canary));
      return { ...service, resolvers: { ...service.resolvers, Query: { probe: fail } } };
    });
    const other = await startOps({ services: broken });
    try {
      const identity = await other.ofTeam('ops-cwa');
      const got = await send(
        { ...identity, body: JSON.stringify({ query: '{ probe { successAge { latest } } me { team } }' }) },
        other,
      );
      expect(got.json).toMatchObject({ data: { probe: null, me: { team: 'ops-cwa' } } });
      expect(got.json.errors[0].extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
      const page = await send({ ...identity, method: 'GET', path: '/' }, other);
      expect(page.status).toBe(200);
      expect(got.text + page.text + JSON.stringify(other.log.lines)).not.toContain(canary);
      // The page asks of the probe twice: over a day, and lately.
      const failed = { errorName: 'Error' };
      expect(other.log.lines.filter(({ event }) => event === 'query-failed')).toMatchObject([failed, failed, failed]);
      expect(await other.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'failed' })).toBe(2);
    } finally {
      await other.close();
    }
  });

  test('a query is a trace of its own that says team and route; a refused sign-in is none', async () => {
    const spans = recordedSpans();
    const identity = await ops.ofTeam('ops-verification');
    await ask(me, identity, { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
    await send({ ...identity, method: 'GET', path: '/' });
    await send({ method: 'GET', path: '/' });
    const told = spans.all().map(({ name, attributes }) => [name, attributes]);
    const common = { 'cwa.team': 'ops-verification' };
    expect(told).toEqual([
      [
        'operator query',
        { ...common, 'http.request.method': 'POST', 'http.route': 'query', 'graphql.operation.type': 'query' },
      ],
      ['operator status-page', { ...common, 'http.request.method': 'GET', 'http.route': 'status-page' }],
    ]);
    // Nobody outside names our traces.
    expect(spans.all().map((span) => span.spanContext().traceId)).not.toContain('0af7651916cd43dd8448eb211c80319c');
  });

  test('introspection for whoever is signed in', async () => {
    const { json } = await ask('{ __schema { queryType { fields { name } } } }', await ops.ofTeam('ops-security'));
    expect(json.data.__schema.queryType.fields.length).toBeGreaterThan(8);
  });

  test('stored operations are asked for by their hash', async () => {
    const stored = (hash: string) => ({
      body: JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: hash } } }),
    });
    const identity = await ops.ofTeam('ops-cwa');
    for (const { name, sha256 } of readOperations()) {
      const { json } = await send({ ...identity, ...stored(sha256) });
      const codes = (json.errors ?? []).map((error: { extensions: { code: string } }) => error.extensions.code);
      expect(
        codes.filter((code: string) => code !== 'FORBIDDEN'),
        name,
      ).toEqual([]);
      expect(json.data, name).toBeDefined();
    }
    const unknown = await send({ ...identity, ...stored(sha256Of('elsewhere')) });
    expect(unknown.json.errors[0].extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
  });

  test("asking for another team's fields is told to the feed; stored operations and the page, which name everybody's, are not", async () => {
    const identity = await ops.ofTeam('ops-verification');
    const before = ops.events.length;
    await ask('{ intake { uploadsAccepted { total } } }', identity);
    expect(ops.events.slice(before)).toEqual([{ type: 'field-refused', team: 'ops-verification' }]);
    const sha256Hash = readOperations().find(({ name }) => name === 'status')?.sha256;
    await send({ ...identity, body: JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash } } }) });
    await send({ ...identity, method: 'GET', path: '/' });
    expect(ops.events).toHaveLength(before + 1);
  });

  test('where only stored operations are allowed, others are refused', async () => {
    const strict = await startOps({ env: { OPS_API_PERSISTED_ONLY: 'true' } });
    try {
      const identity = await strict.ofTeam('ops-cwa');
      const free = await send({ ...identity, body: JSON.stringify({ query: me }) }, strict);
      expect(free.json.errors[0].extensions.code).toBe('PERSISTED_QUERY_ONLY');
      const sha256Hash = readOperations().find(({ name }) => name === 'me')?.sha256;
      const body = JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash } } });
      expect((await send({ ...identity, body }, strict)).json.data.me.team).toBe('ops-cwa');
    } finally {
      await strict.close();
    }
  });
});

test('GraphiQL is there only where it is asked for, complete in itself', async () => {
  const local = await startOps({ env: { OPS_API_GRAPHIQL: 'true' } });
  try {
    const identity = await local.ofTeam('ops-cwa');
    const page = { method: 'GET', path: '/graphql', headers: { accept: 'text/html' } };
    expect((await send(page, local)).status).toBe(401);
    const got = await send({ ...identity, ...page }, local);
    expect(got.status).toBe(200);
    expect(got.text).toContain('YogaGraphiQL');
    const [head = ''] = got.text.split('<script>');
    const references = [...head.matchAll(/(?:src|href|url\()\s*=?\s*["'(]?(https?:)?\/\/[^"')\s]+/g)];
    expect(references.map(([reference]) => reference)).toEqual([]);
    expect(got.text).not.toMatch(/<(script|link|img|iframe)[^>]+(src|href)=["']?(https?:)?\/\//);
    expect(got.headers['content-security-policy']).toContain("default-src 'none'");
    expect(got.headers['content-security-policy']).toContain("connect-src 'self'");
  } finally {
    await local.close();
  }
});
