import { connect } from 'node:tls';
import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startOps } from './fixtures/start-ops.ts';
import { limits } from './limits.ts';

let ops: Awaited<ReturnType<typeof startOps>>;
beforeAll(async () => {
  ops = await startOps({ env: { OPS_API_MAX_REQUESTS_PER_MINUTE: '1000', OPS_API_TIMEOUT_MS: '2000' } });
});
afterAll(() => ops?.close());
beforeEach(() => {
  ops.events.length = 0;
  ops.clock.advance(60_000);
});

const me = '{ me { team mayAsk } }';

const fault = async (query: string, variables: object = {}) => {
  const { status, json, text } = await ops.ask(query, await ops.ofTeam('ops-cwa'), {}, variables);
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

test('an answer has so many points and no more', async () => {
  const from = new Date(ops.clock.nowMs() - 16 * 3_600_000).toISOString();
  const minutes = `intake(range: { from: "${from}", resolution: MINUTE }) { requests { byOutcome { count { points { value } } } } }`;
  expect((await fault(`{ ${minutes} }`)).code).toBeUndefined();
  const answer = await fault(`{ a: ${minutes} b: ${minutes} c: ${minutes} }`);
  expect(answer.code).toBe('QUERY_TOO_LARGE');
  expect(answer.text.match(/"value"/g)?.length ?? 0).toBeLessThanOrEqual(limits.points);
});

test('a query that is large in any way is refused at once, and is no failure of ours', async () => {
  const failures = await ops.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'failed' });
  for (const query of [
    '{ a'.repeat(4_000),
    `{ services(first: ${'['.repeat(8_000)}`,
    `{ ${'... { '.repeat(2_000)} me { team } ${'} '.repeat(2_000)} }`,
    `{ ${'me { team } '.repeat(1_000)} }`,
  ])
    expect(await fault(query)).toMatchObject({ code: 'QUERY_TOO_LARGE' });
  const doubling = Array.from({ length: 25 }, (_, at) => `fragment f${at} on Query { ...f${at + 1} ...f${at + 1} }`);
  expect((await fault(`{ ...f0 } ${doubling.join(' ')} fragment f25 on Query { me { team } }`)).code).toBe(
    'QUERY_TOO_LARGE',
  );
  expect(await ops.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'failed' })).toBe(failures);
});

test('what is no query, or not one query, is the mistake of who asked, and no failure', async () => {
  const failures = await ops.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'failed' });
  for (const query of ['mutation { x }', 'subscription { x }', 'query A { me { team } } query B { me { team } }'])
    expect(await fault(query)).toMatchObject({ code: 'BAD_REQUEST', text: expect.stringContaining('operationName') });
  expect(await ops.metrics.seen('cwa.ops.requests', { 'cwa.outcome': 'failed' })).toBe(failures);
});

test('more than 16 KiB is not read', async () => {
  const body = JSON.stringify({ query: `{ me { team } } ${'#'.repeat(limits.bytes)}` });
  const { status } = await ops.send({ ...(await ops.ofTeam('ops-cwa')), body });
  expect(status).toBe(413);
});

test('so many requests a minute for each identity, and no fewer for others', async () => {
  const few = await startOps({ env: { OPS_API_MAX_REQUESTS_PER_MINUTE: '5' } });
  try {
    const statuses = [];
    for (let times = 0; times < 7; times++) statuses.push((await few.ask(me, await few.ofTeam('ops-cwa'))).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429]);
    expect((await few.ask(me, await few.ofTeam('ops-security'))).status).toBe(200);
    few.clock.advance(12_000);
    expect((await few.ask(me, await few.ofTeam('ops-cwa'))).status).toBe(200);
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
