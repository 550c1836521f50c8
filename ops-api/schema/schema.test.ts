import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { execute, type GraphQLField, isObjectType, isScalarType, parse, validate } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { catalog } from '../../lib/telemetry/catalog/catalog.ts';
import { addressSetting, readConfig } from '../config.ts';
import { filledOps } from '../fixtures/filled.ts';
import { service as madeUp } from '../fixtures/portal.ts';
import { readOperations } from '../persisted-operations.ts';
import { loadServices, processesOf } from '../service.ts';
import { type Team, teams } from '../teams.ts';
import { askedBy, buildSchema } from './schema.ts';

const folder = join(import.meta.dirname, '..', 'services');
const services = await loadServices(folder);
const schema = buildSchema(services);
let ops: Awaited<ReturnType<typeof filledOps>>;
beforeAll(async () => {
  ops = await filledOps(services);
});

const ownTypes = Object.values(schema.getTypeMap()).filter(({ name }) => !name.startsWith('__'));
const fields = ownTypes.flatMap((type) =>
  isObjectType(type)
    ? Object.values(type.getFields()).map((field): [string, GraphQLField<unknown, unknown>] => [
        `${type.name}.${field.name}`,
        field,
      ])
    : [],
);

/** Sources that are no metric: what comes with them, or who asked. */
const otherSources = /process info|the field that holds it|the range that was asked for|the table of teams|the sign-in/;

test('every field says its unit and its source: a metric of the catalog, the process info, or who holds it', () => {
  expect(fields.length).toBeGreaterThan(120);
  const faults = fields.flatMap(([name, { description }]) => {
    const [, source = ''] = /^\S[\s\S]* Unit: .+\. Source: ([^]+)\.$/.exec((description ?? '').trim()) ?? [];
    const metrics = [...source.matchAll(/`([^`]+)`/g)].map(([, metric = '']) => metric);
    const known = metrics.every((metric) => Object.hasOwn(catalog, metric));
    return known && (metrics.length > 0 || otherSources.test(source)) ? [] : [`${name}: ${description}`];
  });
  expect(faults).toEqual([]);
});

test('every type, value and argument of our own is described too', () => {
  const undescribed = ownTypes.filter(
    ({ name, description }) => !description && !/^(String|Int|Float|Boolean|ID)$/.test(name),
  );
  expect(undescribed.map(({ name }) => name)).toEqual([]);
  expect(schema.getType('RangeInput')?.toString()).toBe('RangeInput');
  expect(isScalarType(schema.getType('DateTime'))).toBe(true);
});

test('there is nothing to change and nothing to subscribe to', () => {
  expect(schema.getMutationType()).toBeUndefined();
  expect(schema.getSubscriptionType()).toBeUndefined();
  expect(ownTypes.map(({ name }) => name).filter((name) => /mutation|subscription/i.test(name))).toEqual([]);
  const refused = execute({
    schema,
    document: parse('mutation { me { team } }'),
    contextValue: ops.contextOf('ops-cwa'),
  });
  expect(refused).toMatchObject({ errors: [{}] });
});

test('nothing in the schema names a person, a key or what a phone fetched', () => {
  const names = fields.map(([name]) => name);
  expect(names.filter((name) => /guid|token|address|userAgent|fetched|polled|keyData|telephone/i.test(name))).toEqual(
    [],
  );
});

test('decision 36: who sees what', () => {
  const table = Object.fromEntries(
    teams.map((team) => [
      team,
      [...processesOf(services)]
        .filter(([, owner]) => owner === team)
        .map(([name]) => name)
        .sort(),
    ]),
  );
  expect(table).toEqual({
    'ops-cwa': ['distribution', 'gateway', 'prober', 'submission'],
    'ops-verification': ['test-result', 'verification'],
    'ops-infrastructure': ['ops-api'],
    'ops-security': [],
  });
  expect(Object.fromEntries(teams.map((team) => [team, askedBy(team, services).sort()]))).toEqual({
    'ops-cwa': ['capacity', 'certificates', 'distribution', 'intake', 'probe', 'services'],
    'ops-verification': ['capacity', 'certificates', 'labs', 'services', 'verification'],
    'ops-infrastructure': ['capacity', 'certificates', 'operations', 'services'],
    'ops-security': ['certificates', 'security'],
  });
});

// oxlint-disable-next-line no-explicit-any -- what a query asked for
type Loose = any;

interface Result {
  data: Record<string, Loose>;
  errors?: readonly { message: string; path?: readonly unknown[]; extensions: Record<string, unknown> }[];
}

const run = async (team: Team, query: string, variables: Record<string, unknown> = {}): Promise<Result> =>
  (await execute({
    schema,
    document: parse(query),
    contextValue: ops.contextOf(team),
    variableValues: variables,
  })) as Result;
const stored = (name: string) => readOperations().find((operation) => operation.name === name)?.text ?? '';

test('every stored operation fits the schema', () => {
  for (const { name, text } of readOperations()) expect(validate(schema, parse(text)), name).toEqual([]);
});

test.each(teams)('%s: its own fields have figures, every other field of Query is FORBIDDEN', async (team) => {
  const all = Object.keys(schema.getQueryType()?.getFields() ?? {}).filter((name) => name !== 'me');
  for (const name of all) {
    const { data, errors } = await run(team, stored(name));
    if (askedBy(team, services).includes(name)) {
      expect(errors, name).toBeUndefined();
      expect(data[name]).not.toBeNull();
    } else {
      expect(data[name]).toBeNull();
      expect(errors).toMatchObject([{ path: [name], extensions: { code: 'FORBIDDEN' } }]);
    }
  }
});

test('lists of processes hold those of the team alone', async () => {
  const names = async (team: Team) => {
    const { data } = await run(
      team,
      '{ services { edges { node { name health } } } capacity { edges { node { process } } } certificates { edges { node { process } } } }',
    );
    const of = (field: string, key: string) =>
      [...new Set(data[field]?.edges.map(({ node }: Loose) => node[key]))].sort();
    return {
      services: of('services', 'name'),
      capacity: of('capacity', 'process'),
      certificates: of('certificates', 'process'),
    };
  };
  const own = ['test-result', 'verification'];
  expect(await names('ops-verification')).toEqual({ services: own, capacity: own, certificates: own });
  expect((await names('ops-infrastructure')).services).toHaveLength(7);
  expect((await names('ops-security')).certificates).toHaveLength(7);
});

describe('figures', () => {
  test('a silent process is down and says when it was last seen', async () => {
    const { data } = await run('ops-cwa', stored('services'));
    const prober = data['services'].edges.find(({ node }: Loose) => node.name === 'prober').node;
    expect(prober).toMatchObject({
      health: 'DOWN',
      instances: { edges: [{ node: { health: 'DOWN', lastSeen: '2026-03-02T12:30:00.000Z', uptimeSeconds: null } }] },
    });
    expect(data['services'].edges[0].node).toMatchObject({
      name: 'distribution',
      health: 'UP',
      instances: { edges: [{ node: { version: '1.2.3', uptimeSeconds: 93_600 } }] },
    });
  });

  test('intake: counts over the range, refusals as a small group', async () => {
    const { data } = await run('ops-cwa', stored('intake'));
    expect(data['intake']).toMatchObject({ uploadsAccepted: { total: 1_250 }, fakeShare: { latest: 0.9 } });
    // 5 an hour is hidden by the hour and told by the day.
    expect(data['intake'].uploadsRefused[0]).toEqual({
      name: 'tan-refused',
      count: { total: null, suppressed: true, atLeast: false },
    });
    const range = { from: '2026-03-01T00:00:00Z', resolution: 'DAY' };
    const { data: days } = await run('ops-cwa', stored('intake'), { range });
    // Told: 11 hours of the one day that is over, from the second poll on.
    expect(days['intake'].uploadsRefused[0].count).toEqual({ total: 65, suppressed: false, atLeast: false });
    expect(days['intake'].range).toMatchObject({ resolution: 'DAY', to: '2026-03-03T00:00:00.000Z' });
  });

  test('labs: a large partner by the hour, a small one by the day; percentiles where they may be told', async () => {
    const { data } = await run('ops-verification', stored('labs'));
    const [a, b] = data['labs'].partners.edges.map(({ node }: Loose) => node);
    expect(a).toMatchObject({
      name: 'lab-a',
      resultsStored: { suppressed: false },
      delay: { p50Seconds: 900, p90Seconds: 1_800, p99Seconds: 7_200 },
    });
    expect(b).toMatchObject({ name: 'lab-b', resultsStored: { total: null, suppressed: true }, delay: null });
    const { data: days } = await run('ops-verification', stored('labs'), {
      range: { from: '2026-03-01T00:00:00Z', resolution: 'DAY' },
    });
    expect(days['labs'].partners.edges[1].node).toMatchObject({
      name: 'lab-b',
      resultsStored: { total: 65, suppressed: false },
      delay: { p50Seconds: 60 },
    });
  });

  test('capacity: cost of a request, saturation, share in use, distance to caps', async () => {
    const { data } = await run('ops-infrastructure', stored('capacity'));
    const gateway = data['capacity'].edges.find(({ node }: Loose) => node.process === 'gateway').node;
    expect(gateway).toMatchObject({ instances: 1, costPerRequestSeconds: 0.01, predictedSaturation: 100 });
    expect(gateway.usedPercent).toBeCloseTo(0.96, 1);
    expect(gateway.caps.edges[0].node).toEqual({ name: 'connections', highestPercent: 85, distancePercent: 90 });
  });

  test('security: counts by process and kind', async () => {
    const { data } = await run('ops-security', stored('security'));
    expect(data['security'].events.totalCount).toBe(7);
    expect(data['security'].events.edges[0].node).toMatchObject({ kind: 'caller-refused', count: { total: 25 } });
  });

  test('distribution: runs, packages and ages', async () => {
    const { data } = await run('ops-cwa', stored('distribution'));
    expect(data['distribution']).toMatchObject({
      nextRun: { latest: 180 },
      keysWaiting: { latest: 300 },
      packageAge: [
        { name: 'day', level: { latest: 43_200 } },
        { name: 'hour', level: { latest: 7_800 } },
      ],
    });
    expect(data['distribution'].packages.edges[0].node).toMatchObject({
      region: 'DE',
      window: 'hour',
      keys: 140,
      paddingKeys: 0,
    });
    expect(data['distribution'].runs.edges[0].node.outcome).toBe('done');
  });
});

test('what processes work for does not tell what small groups hide: uploads less those accepted would be the refused', async () => {
  const { data } = await run(
    'ops-cwa',
    `{ capacity { edges { node { process requests { points { value } } } } }
       intake { uploadsAccepted { points { value } } uploadsRefused { count { suppressed } } } }`,
  );
  const { node } = data['capacity'].edges.find(({ node: { process } }: Loose) => process === 'submission');
  expect(data['intake'].uploadsRefused[0].count.suppressed).toBe(true);
  expect(node.requests.points).toEqual(data['intake'].uploadsAccepted.points);
});

test('pages go on where they ended; a page that cannot be is refused', async () => {
  const page = (given: string) =>
    run(
      'ops-cwa',
      `{ distribution { packages(${given}) { edges { cursor node { region windowEnd } } pageInfo { hasNextPage endCursor } totalCount } } }`,
    );
  const seen: unknown[] = [];
  let after = '';
  for (let pages = 0; pages < 3; pages++) {
    const { data } = await page(`first: 2${after}`);
    const { edges, pageInfo, totalCount } = data['distribution'].packages;
    seen.push(...edges.map(({ node }: Loose) => `${node.region} ${node.windowEnd}`));
    expect(totalCount).toBe(5);
    expect(pageInfo.hasNextPage).toBe(pages < 2);
    after = `, after: "${pageInfo.endCursor}"`;
  }
  expect(new Set(seen).size).toBe(5);
  for (const bad of ['first: 0', 'first: 101', 'after: "elsewhere"']) {
    expect((await page(bad)).errors).toMatchObject([{ extensions: { code: 'BAD_PAGE' } }]);
  }
});

test('ranges: defaults, bounds, and widening that the answer tells', async () => {
  const of = async (range: object | undefined) => {
    const { data, errors } = await run(
      'ops-cwa',
      'query ($range: RangeInput) { intake(range: $range) { range { from to resolution widened } uploadsAccepted { points { at } } } }',
      { range },
    );
    return {
      ...data['intake']?.range,
      points: data['intake']?.uploadsAccepted.points.length,
      code: errors?.[0]?.extensions['code'],
    };
  };
  expect(await of(undefined)).toMatchObject({
    from: '2026-03-01T12:00:00.000Z',
    to: '2026-03-02T13:00:00.000Z',
    resolution: 'HOUR',
    points: 25,
  });
  expect(await of({ from: '2026-03-02T12:00:00Z', to: '2026-03-02T12:30:00Z', resolution: 'MINUTE' })).toMatchObject({
    widened: false,
    points: 30,
  });
  expect(await of({ from: '2026-02-25T00:00:00Z', resolution: 'MINUTE' })).toMatchObject({
    resolution: 'HOUR',
    widened: true,
  });
  expect(await of({ from: '2026-03-01T00:00:00Z', resolution: 'MINUTE' })).toMatchObject({
    resolution: 'FIVE_MINUTES',
    widened: true,
  });
  expect(await of({ from: '2020-01-01T00:00:00Z' })).toMatchObject({
    from: '2026-01-21T12:00:00.000Z',
    resolution: 'HOUR',
    widened: true,
  });
  expect(await of({ from: '2026-03-03T00:00:00Z' })).toMatchObject({ code: 'BAD_RANGE' });
  expect(await of({ from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' })).toMatchObject({ code: 'BAD_RANGE' });
});

test('adding a service is adding one file', async () => {
  // Beside the real folder, so that the file finds what it imports.
  const copy = mkdtempSync(`${folder}-copy-`);
  try {
    cpSync(folder, copy, { recursive: true });
    cpSync(join(import.meta.dirname, '..', 'fixtures', 'portal.ts'), join(copy, 'portal.ts'));
    const more = await loadServices(copy);
    expect(more).toHaveLength(services.length + 1);
    const grown = buildSchema(more);
    const seen = await filledOps(more);
    const document = parse('{ hotline { calls { total } } services { edges { node { name team health } } } }');
    const ask = (team: Team) =>
      execute({ schema: grown, document, contextValue: seen.contextOf(team) }) as Promise<Result>;
    const { data, errors } = await ask('ops-verification');
    expect(errors).toBeUndefined();
    expect(data['hotline']).toEqual({ calls: { total: null } });
    const portal = { name: 'portal', team: madeUp.team, health: 'NOT_CONFIGURED' };
    expect(data['services'].edges.map(({ node }: Loose) => node)).toContainEqual(portal);
    expect((await ask('ops-cwa')).errors).toMatchObject([{ path: ['hotline'], extensions: { code: 'FORBIDDEN' } }]);
    expect(addressSetting(madeUp.process)).toBe('OPS_API_PORTAL_ADDRESS');
    expect(readConfig({ ...needed, OPS_API_PORTAL_ADDRESS: 'portal:1' }, ['portal']).addresses.get('portal')).toBe(
      'portal:1',
    );
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
});

const needed = { OPS_API_TLS_CERT_FILE: 'a', OPS_API_TLS_KEY_FILE: 'b', OPS_API_TLS_CA_FILE: 'c' };
