import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { removeEmbeddedPostgres } from '../../lib/db/embedded-postgres.ts';
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
import { octetSecret, textSecret } from '../canary/secret.ts';
import { startMesh } from '../mesh/mesh.ts';

const hourMs = 3_600_000;
const home = mkdtempSync(join(tmpdir(), 'cwa-canary-'));
const began = Date.now() - 1_000;
let run: IntakeRun;
let sightings: Sighting[];
let places: string[];

/** The mesh is stopped before the logs are read: what is told late is told then. Its home stays until the end. */
beforeAll(async () => {
  const mesh = await startMesh({
    home,
    env: { GATEWAY_ANSWER_FLOOR_MS: '0', GATEWAY_HOST: '127.0.0.1' },
    anyPorts: true,
  });
  const holdings: Holding[] = [];
  try {
    run = await runIntake(mesh);
    const hour = Math.floor(mesh.clock.nowMs() / hourMs);
    // One hour to close, one more because keys that are valid when they are submitted wait a little.
    await mesh.advanceTo((hour + 2) * hourMs + 60_000);
    holdings.push(...(await objectsOf(mesh.objectStore.env)));
    holdings.push(...(await managementAnswers(mesh.managementPorts())), ...run.phone.answers, ...run.lab.answers);
    for (const owner of ['TEST_RESULT', 'VERIFICATION', 'SUBMISSION', 'DISTRIBUTION'] as const) {
      holdings.push(...(await columnsOf(owner, mesh.databaseUrl(owner))));
    }
  } finally {
    await run?.close();
    await mesh.close();
  }
  holdings.push(...filesUnder(join(home, 'log'), 'log'));
  places = holdings.map(({ place }) => place);
  sightings = search(run.secrets, holdings);
});
afterAll(() => {
  removeEmbeddedPostgres(join(home, 'postgres'));
  rmSync(home, { recursive: true, force: true });
});

test('S row 69: over all intake flows no secret value is in a log, metric, object, answer or column where it does not belong', () => {
  expect(strays(sightings, belongings)).toEqual([]);
});

test('the flows went everywhere: values are where they belong, every kind of answer was given, every place was searched', () => {
  for (const [kind, place] of expected) {
    expect(
      sightings.some((sighting) => sighting.kind === kind && place.test(sighting.place)),
      `${kind} at ${place}`,
    ).toBe(true);
  }
  const statuses = [...run.phone.statuses().keys(), ...run.lab.statuses().keys()];
  for (const status of [200, 201, 204, 400, 403, 404, 500])
    expect(
      statuses.some((label) => label.endsWith(` ${status}`)),
      `${status}`,
    ).toBe(true);
  for (const name of ['gateway', 'submission', 'verification', 'test-result', 'distribution', 'object-store']) {
    expect(places).toContain(`log ${name}.log`);
  }
  for (const prefix of ['management ', 'column ', 'object ', 'answer ', 'log ']) {
    expect(
      places.some((place) => place.startsWith(prefix)),
      prefix,
    ).toBe(true);
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
    .map((secret) => ({ ...secret, forms: secret.forms.filter(({ name }) => name === 'plain').slice(0, 1) }));
  expect(search(clear, filesUnder(folder, 'postgres', began))).toEqual([]);
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
  for (const place of [
    'column VERIFICATION.tan.session_id',
    'object version/v1/x',
    'answer /version/v1/testresult 200 own lab id',
    'management SUBMISSION_MANAGEMENT_PORT /metrics',
  ]) {
    const [first] = tan.forms;
    const found = search(
      [tan],
      [
        {
          place,
          octets: Buffer.concat([Buffer.from('before '), first?.octets ?? Buffer.alloc(0), Buffer.from(' after')]),
        },
      ],
    );
    expect(strays(found, belongings).map((sighting) => sighting.place)).toEqual([place]);
  }
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
