import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { recordedSpans } from '../lib/testing/spans.ts';
import type { Given } from './fixtures/operator-client.ts';
import { startOps } from './fixtures/start-ops.ts';
import { loadServices } from './service.ts';

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

test('queries come by POST with JSON alone; nothing can be changed', async () => {
  const identity = await ops.ofTeam('ops-cwa');
  const statusOf = async (given: Given) => (await ops.send({ ...identity, ...given })).status;
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
    expect(await statusOf({ headers: { 'content-type': type }, body: JSON.stringify({ query: me }) }), type).toBe(415);
  }
  const mutation = await ops.ask('mutation { me { team } }', identity);
  expect(mutation.json.data ?? null).toBeNull();
  expect(mutation.json.errors).toHaveLength(1);
  const batch = await ops.send({ ...identity, body: JSON.stringify([{ query: me }, { query: me }]) });
  expect(batch.status).toBe(400);
});

test('a page of another site gets nothing, though the browser has the certificate', async () => {
  const identity = await ops.ofTeam('ops-cwa');
  for (const headers of [
    { origin: 'https://elsewhere.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]) {
    const got = await ops.ask(me, identity, { headers: headers as Record<string, string> });
    expect([got.status, got.text]).toEqual([403, expect.stringContaining('another site')]);
    expect(got.headers['access-control-allow-origin']).toBeUndefined();
  }
  const own = await ops.ask(me, identity, {
    headers: { origin: 'https://localhost:1', host: 'localhost:1', 'sec-fetch-site': 'same-origin' },
  });
  expect(own.status).toBe(200);
  expect(own.headers['access-control-allow-origin']).toBeUndefined();
});

test('every answer bears the security headers', async () => {
  const identity = await ops.ofTeam('ops-cwa');
  for (const got of [
    await ops.send({ method: 'GET', path: '/' }),
    await ops.ask(me, identity),
    await ops.send({ ...identity, method: 'GET', path: '/' }),
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
    const got = await ops.send({ ...identity, body });
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
    const got = await other.ask('{ probe { successAge { latest } } me { team } }', identity);
    expect(got.json).toMatchObject({ data: { probe: null, me: { team: 'ops-cwa' } } });
    expect(got.json.errors[0].extensions).toEqual({ code: 'INTERNAL_SERVER_ERROR' });
    const page = await other.send({ ...identity, method: 'GET', path: '/' });
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
  await ops.ask(me, identity, { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
  await ops.send({ ...identity, method: 'GET', path: '/' });
  await ops.send({ method: 'GET', path: '/' });
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
  const { json } = await ops.ask('{ __schema { queryType { fields { name } } } }', await ops.ofTeam('ops-security'));
  expect(json.data.__schema.queryType.fields.length).toBeGreaterThan(8);
});

test('GraphiQL is there only where it is asked for, complete in itself', async () => {
  const local = await startOps({ env: { OPS_API_GRAPHIQL: 'true' } });
  try {
    const identity = await local.ofTeam('ops-cwa');
    const page = { method: 'GET', path: '/graphql', headers: { accept: 'text/html' } };
    expect((await local.send(page)).status).toBe(401);
    const got = await local.send({ ...identity, ...page });
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
