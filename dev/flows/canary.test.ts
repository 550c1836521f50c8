import { setTimeout as delay } from 'node:timers/promises';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { belongings, expected } from '../canary/belongings.ts';
import { type IntakeRun, runIntake } from '../canary/intake.ts';
import {
  columnsOf,
  filesUnder,
  type Holding,
  managementAnswers,
  objectsOf,
  type Sighting,
  search,
  strays,
} from '../canary/search.ts';
import { askAsOperators, operatorSecrets } from '../canary/operators.ts';
import { octetSecret, type Secret, textSecret } from '../canary/secret.ts';
import { sinks } from '../canary/sinks.ts';
import { askWithoutRight, exported, meshAnswers } from '../canary/telemetry.ts';
import { startMesh } from '../mesh/mesh.ts';
import { removeHome } from '../mesh/home.ts';
import { names, prefixOf } from '../mesh/names.ts';
import { startOtlpReceiver } from '../observability/otlp-receiver.ts';

const hourMs = 3_600_000;
const home = mkdtempSync(join(tmpdir(), 'cwa-canary-'));
const exportFolder = mkdtempSync(join(tmpdir(), 'cwa-canary-otlp-'));
const began = Date.now() - 1_000;
const undeclared = 'canary-of-an-undeclared-call';
let run: IntakeRun;
let secrets: Secret[];
let holdings: Holding[];
let sightings: Sighting[];
let places: string[];

/** The mesh is stopped before logs and exports are read: what is told late is told then. Its home stays until the end. */
beforeAll(async () => {
  const otlp = await startOtlpReceiver({ folder: exportFolder });
  const addresses = new Map<string, string>();
  const mesh = await startMesh({
    home,
    env: {
      GATEWAY_ANSWER_FLOOR_MS: '0',
      GATEWAY_HOST: '127.0.0.1',
      OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint,
      TELEMETRY_FLUSH_SECONDS: '1',
    },
    anyPorts: true,
    prober: { PROBER_INTERVAL_SECONDS: '10' },
    addressFor: (_caller, called, address) => {
      addresses.set(called, address);
      return address;
    },
  });
  holdings = [];
  try {
    run = await runIntake(mesh);
    await askWithoutRight(home, addresses.get('verification') ?? '', undeclared);
    const hour = Math.floor(mesh.clock.nowMs() / hourMs);
    // One hour to close, one more because keys that are valid when they are submitted wait a little.
    await mesh.advanceTo((hour + 2) * hourMs + 60_000);
    // Another flush, so that everything that was counted can be seen.
    await delay(2_500);
    holdings.push(...(await objectsOf(mesh.objectStore.env)));
    holdings.push(...(await managementAnswers(mesh.managementPorts())), ...run.phone.answers, ...run.lab.answers);
    holdings.push(...(await meshAnswers(home, addresses)), ...(await askAsOperators(mesh)));
    for (const owner of ['TEST_RESULT', 'VERIFICATION', 'SUBMISSION', 'DISTRIBUTION'] as const) {
      holdings.push(...(await columnsOf(owner, mesh.databaseUrl(owner))));
    }
    holdings.push(...filesUnder(join(home, 'security-feed'), 'security buffer'));
  } finally {
    await run?.close();
    await mesh.close();
    await otlp.close();
  }
  holdings.push(...exported(otlp, exportFolder), ...filesOfRun());
  places = holdings.map(({ place }) => place);
  secrets = [...run.secrets, ...operatorSecrets, textSecret('undeclared call', undeclared)];
  sightings = search(secrets, holdings);
});

/** What is left in the home, by the sink it belongs to; keys are kept in `pki` and `secrets`, tables are looked at above. */
function filesOfRun(): Holding[] {
  return [...filesUnder(home, 'file')].flatMap((file) => {
    const path = file.place.slice('file '.length);
    if (/^(pki|secrets|postgres|objects)\//.test(path)) return [];
    if (path.startsWith('log/')) return [{ ...file, place: `log ${path.slice('log/'.length)}` }];
    if (path.startsWith('security-events')) return [{ ...file, place: 'security sent' }];
    if (path.startsWith('ops-history')) return [{ ...file, place: `history ${path}` }];
    return [file];
  });
}

afterAll(() => {
  removeHome(home);
  rmSync(exportFolder, { recursive: true, force: true });
});

test('S row 69: over all intake flows no secret value is in a log, trace, metric, object, answer, event, file or column where it does not belong', () => {
  expect(strays(sightings, belongings)).toEqual([]);
});

test('the flows went everywhere: values are where they belong, every kind of answer was given, every place was searched', () => {
  for (const [kind, place] of expected) {
    expect(
      sightings.some((sighting) => sighting.kind === kind && place.test(sighting.place)),
      `${kind} at ${place}`,
    ).toBe(true);
  }
  const asked = holdings.filter(({ place }) => /^graphql \S+ (?!operation |refused)/.test(place));
  const fields = new Set(asked.map(({ place }) => place.split(' ')[2]));
  const isAnswered = (name: string | undefined) =>
    asked.some(({ place, octets }) => place.endsWith(` ${name}`) && !octets.includes('"errors"'));
  expect([...fields].filter((name) => !isAnswered(name))).toEqual([]);
  expect(fields.size).toBeGreaterThanOrEqual(8);
  const statuses = [...run.phone.statuses().keys(), ...run.lab.statuses().keys()];
  for (const status of [200, 201, 204, 400, 403, 404, 500])
    expect(
      statuses.some((label) => label.endsWith(` ${status}`)),
      `${status}`,
    ).toBe(true);
  for (const name of [...names, 'object-store']) expect(places).toContain(`log ${name}.log`);
  for (const name of names) {
    expect(places).toContain(`mesh ${name} cwa.metrics.v1.MetricsService`);
    expect(places).toContain(`management ${prefixOf(name)}_MANAGEMENT_PORT /metrics`);
    expect(exportedBy(name), `what ${name} exported`).toBe(true);
  }
  // Failures were told, without what they were about.
  const logs = ['gateway', 'submission', 'verification', 'test-result'].map((name) =>
    readFileSync(join(home, 'log', `${name}.log`), 'utf8'),
  );
  for (const log of logs) expect(log).toMatch(/"level":"(error|warn)"/);
});

test('nothing that is secret in clear is in the files of PostgreSQL, indexes and write-ahead log included', () => {
  const moved = `${join(home, 'postgres')}.moved-to`;
  const folder = existsSync(moved) ? join(readFileSync(moved, 'utf8').trim(), 'data') : join(home, 'postgres');
  // Of these kinds no column may hold the plain value; the others are in columns by their nature.
  const held = new Set([
    'hashed GUID',
    'hashed GUID with birth date',
    'lab id',
    'key data',
    'submitter',
    'hash of the keys',
  ]);
  const clear = [...Map.groupBy(run.secrets, ({ kind }) => kind)]
    .filter(([kind]) => !held.has(kind))
    .flatMap(([, secrets]) => secrets.slice(-8))
    .map(inClear);
  expect(search(clear, filesUnder(folder, 'postgres', began))).toEqual([]);
  // What is in a column in clear is found there, or the search saw nothing.
  const hashed = run.secrets
    .filter(({ kind }) => kind === 'hashed GUID')
    .slice(0, 2)
    .map(inClear);
  expect(search(hashed, filesUnder(folder, 'postgres', began))).not.toEqual([]);
}, 120_000);

test('the search sees what is planted: in a log line in any form, in a column, in an object, in an answer', () => {
  const log = join(home, 'log', 'gateway.log');
  const tan = run.secrets.findLast(({ kind }) => kind === 'tan') ?? textSecret('none', 'none');
  const key = run.secrets.findLast(({ kind }) => kind === 'key data') ?? textSecret('none', 'none');
  for (const secret of [tan, key]) {
    for (const { name, octets } of secret.forms) {
      appendFileSync(
        log,
        Buffer.concat([Buffer.from('{"level":"info","event":"x","reason":"'), octets, Buffer.from('"}\n')]),
      );
      const found = search([secret], filesUnder(join(home, 'log'), 'log'));
      expect(strays(found, belongings)).toContainEqual({ kind: secret.kind, form: name, place: 'log gateway.log' });
    }
  }
});

const inClear = (secret: Secret): Secret => ({
  ...secret,
  forms: secret.forms.filter(({ name }) => name === 'plain'),
});

/** Whether log lines or metrics of the process have come over OTLP. */
const exportedBy = (name: string): boolean =>
  holdings.some(({ place, octets }) => place === 'otlp metrics' && octets.includes(`"service":"${name}"`));

const searched = sinks.flatMap(({ name, places: kinds }) =>
  'none' in kinds ? [] : kinds.map((kind) => ({ name, kind })),
);

test.each(searched)(
  '$name: every place that $kind names was searched, and a canary planted there is found',
  ({ kind }) => {
    const found = holdings.filter(({ place }) => kind.test(place));
    expect(found.length).toBeGreaterThan(0);
    const tan = textSecret('planted', 'b3a1f6de-0c5d-4b8e-8f0a-6f9a1c2d3e4f');
    const planted = found.map(({ place, octets }) => {
      const { octets: canary } = tan.forms.at(-1) ?? { octets: Buffer.alloc(0) };
      const at = Math.floor(octets.length / 2);
      return { place, octets: Buffer.concat([octets.subarray(0, at), canary, octets.subarray(at)]) };
    });
    const strayed = strays(search([tan], planted), belongings).map(({ place }) => place);
    expect(new Set(strayed)).toEqual(new Set(found.map(({ place }) => place)));
  },
);

test('every place that was searched belongs to a sink', () => {
  expect(places.filter((place) => !searched.some(({ kind }) => kind.test(place)))).toEqual(['otlp bodies']);
});

test('a value that may be in one column is a stray in every other, and so is another form of it in its own', () => {
  const token = textSecret('registration token', '5d4d1a52-8b6c-4c1e-9f6d-3a1f0d2b7c11');
  const octets = (form: string) => token.forms.find(({ name }) => name === form)?.octets ?? Buffer.alloc(0);
  const at = (place: string, form: string) =>
    strays(search([token], [{ place, octets: octets(form) }]), belongings).length;
  expect(at('column VERIFICATION.session.token_hash', 'sha256')).toBe(0);
  expect(at('column VERIFICATION.session.token_hash', 'plain')).toBe(1);
  expect(at('column VERIFICATION.tan.hash', 'sha256')).toBe(1);
  expect(at('log verification.log', 'sha256')).toBe(1);
  const key = octetSecret('key data', Buffer.from('0123456789abcdef'));
  expect(search([key], [{ place: 'x', octets: Buffer.from('MDEyMzQ1Njc4OWFiY2RlZg==') }])).toEqual([
    { kind: 'key data', form: 'base64', place: 'x' },
  ]);
});
