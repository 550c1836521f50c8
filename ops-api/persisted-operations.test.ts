import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startOps } from './fixtures/start-ops.ts';
import { readOperations, sha256Of } from './persisted-operations.ts';

let ops: Awaited<ReturnType<typeof startOps>>;
beforeAll(async () => {
  ops = await startOps({ env: { OPS_API_MAX_REQUESTS_PER_MINUTE: '1000' } });
});
afterAll(() => ops?.close());
beforeEach(() => {
  ops.events.length = 0;
  ops.clock.advance(60_000);
});

const byHash = (sha256Hash: string) => ({
  body: JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash } } }),
});
const named = (wanted: string) => byHash(readOperations().find(({ name }) => name === wanted)?.sha256 ?? '');

test('stored operations are asked for by their hash', async () => {
  const identity = await ops.ofTeam('ops-cwa');
  for (const { name, sha256 } of readOperations()) {
    const { json } = await ops.send({ ...identity, ...byHash(sha256) });
    const codes = (json.errors ?? []).map((error: { extensions: { code: string } }) => error.extensions.code);
    expect(
      codes.filter((code: string) => code !== 'FORBIDDEN'),
      name,
    ).toEqual([]);
    expect(json.data, name).toBeDefined();
  }
  const unknown = await ops.send({ ...identity, ...byHash(sha256Of('elsewhere')) });
  expect(unknown.json.errors[0].extensions.code).toBe('PERSISTED_QUERY_NOT_FOUND');
});

test("asking for another team's fields is told to the feed; stored operations and the page, which name everybody's, are not", async () => {
  const identity = await ops.ofTeam('ops-verification');
  const before = ops.events.length;
  await ops.ask('{ intake { uploadsAccepted { total } } }', identity);
  expect(ops.events.slice(before)).toEqual([{ type: 'field-refused', team: 'ops-verification' }]);
  // A text of one's own is none of them, whatever hash comes with it.
  const query = '{ intake { uploadsAccepted { total } } }';
  const { extensions } = JSON.parse(named('status').body) as { extensions: object };
  await ops.send({ ...identity, body: JSON.stringify({ query, extensions }) });
  expect(ops.events.splice(1)).toEqual([{ type: 'field-refused', team: 'ops-verification' }]);
  await ops.send({ ...identity, ...named('status') });
  await ops.send({ ...identity, method: 'GET', path: '/' });
  expect(ops.events).toHaveLength(before + 1);
});

test('where only stored operations are allowed, others are refused', async () => {
  const strict = await startOps({ env: { OPS_API_PERSISTED_ONLY: 'true' } });
  try {
    const identity = await strict.ofTeam('ops-cwa');
    const free = await strict.ask('{ me { team } }', identity);
    expect(free.json.errors[0].extensions.code).toBe('PERSISTED_QUERY_ONLY');
    expect((await strict.send({ ...identity, ...named('me') })).json.data.me.team).toBe('ops-cwa');
  } finally {
    await strict.close();
  }
});
