import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { encodeConfigV1 } from '../lib/exposure/app-config.ts';
import { v1Values } from './fixtures/config-v1-values.ts';
import { checkVectorFile } from './vector-check.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url));
const peer = new URL('../../shared/data/peer/', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'vectors-'));
afterAll(() => rmSync(folder, { recursive: true }));
const configPath = join(folder, 'config.bin');
writeFileSync(configPath, encodeConfigV1(v1Values));

type Json = Record<string, unknown>;
function run(content: unknown, name = 'file.json'): ReturnType<typeof checkVectorFile>['cases'] {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return checkVectorFile(path, { config: configPath }).cases;
}
const failed = (cases: { ok: boolean }[]): number => cases.filter(({ ok }) => !ok).length;
const gaen = (): Json => JSON.parse(readFileSync(fixture('gaen-test-vectors.json'), 'utf8')) as Json;
/** The same with three of the 72 identifiers of the official key, which are all alike. */
function shortGaen(): Json {
  const file = gaen();
  (file['official'] as { advertised: unknown[] }).advertised.length = 3;
  return file;
}

test('HKDF, RPI, AEM official vectors, field observations, unusual keys, key of an export file, signature primitives, matching scenarios: each entry is a case and equal', () => {
  const { cases } = checkVectorFile(fixture('gaen-test-vectors.json'));
  expect(cases.filter(({ ok }) => !ok)).toEqual([]);
  expect(cases).toHaveLength(72 + 2 + 3 + 3 + 2 + 7);
});

test('v1 sample: each pair and each combined score is a case', () => {
  const { cases } = checkVectorFile(fixture('risk-v1-sample.json'), { config: configPath });
  expect(cases.filter(({ ok }) => !ok)).toEqual([]);
  expect(cases).toHaveLength(1 + 2 + 6 + 2);
});

test('v1 sample without its configuration: the cases that need it fail and say where it was looked for', () => {
  const { cases } = checkVectorFile(fixture('risk-v1-sample.json'));
  expect(failed(cases)).toBe(4);
  expect(cases.find(({ ok }) => !ok)?.detail).toMatch(/neither beside the file nor in peer/);
});

test.skipIf(!existsSync(peer))(
  'v2 suite and v2 filters: all cases, all seven fields (skipped when ../shared/data/peer is missing)',
  () => {
    for (const [name, count] of [
      ['exposure-windows-risk-calculation.json', 15],
      ['exposure-windows-risk-calculation.pre-1.15.json', 13],
    ] as const) {
      const { cases } = checkVectorFile(fileURLToPath(new URL(name, peer)));
      expect(cases.filter(({ ok }) => !ok)).toEqual([]);
      expect(cases).toHaveLength(count);
    }
  },
);

/** Every number and hex text of an object, with a function that changes it. */
function* values(node: unknown, path: string): Generator<[string, () => void]> {
  if (typeof node !== 'object' || node === null) return;
  const object = node as Json;
  for (const [key, value] of Object.entries(object)) {
    if (typeof value === 'number')
      yield [
        `${path}.${key}`,
        () => {
          object[key] = value + 1;
        },
      ];
    else if (typeof value === 'string' && /^[0-9a-f]{8,}$/.test(value)) {
      yield [
        `${path}.${key}`,
        () => {
          object[key] = value.slice(0, -1) + (value.endsWith('0') ? '1' : '0');
        },
      ];
    } else yield* values(value, `${path}.${key}`);
  }
}

test('every value of the vectors is compared: changing any one of them fails a case', () => {
  const untouched = [...values(shortGaen(), '')].length;
  // Inputs that may change without a change of the outcome.
  const inputs =
    /keyGenerationSeconds|(observed|exportedKey)\.rollingStart|exportedKey\.rollingPeriod|scenarios\.\d+\.(tek\.transmissionRiskLevel|tek\.rollingPeriod|mapping\.|sightings\.\d+\.(aem|epochSeconds|previousScanEpochSeconds|rssi))/;
  let changed = 0;
  for (let i = 0; i < untouched; i += 1) {
    const file = shortGaen();
    const [path, change] = [...values(file, '')][i] as [string, () => void];
    if (inputs.test(path)) continue;
    change();
    expect(failed(run(file)), path).toBeGreaterThan(0);
    changed++;
  }
  expect(changed).toBeGreaterThan(150);
}, 60_000);

test('a list, section or field that is not understood fails', () => {
  expect(failed(run({ ...gaen(), extras: [1] }))).toBe(1);
  expect(failed(run({ ...gaen(), more: { tek: '00'.repeat(16), rolled: [{ rpi: '00' }] } }))).toBe(1);
  expect(failed(run({ more: { tek: '00'.repeat(16), cases: [{ intervalNumber: 1, colour: 'red' }] } }))).toBe(1);
  expect(failed(run({ testCases: [], defaultRiskCalculationConfiguration: {}, others: [] }))).toBe(1);
  expect(failed(run({ bucketIndex: { duration: [[0, 0]], humidity: [[1, 2]] } }))).toBe(1);
  expect(failed(run({ combined: [], weather: [] }))).toBe(1);
});

test('optional parts may be missing: hex of aem, metadata, previous scan, rolling period, days since onset', () => {
  const file = gaen();
  const { scenarios } = file['matchingScenarios'] as {
    scenarios: { tek: Json; mapping?: Json; sightings: Json[]; expected: Json }[];
  };
  const m00 = structuredClone(scenarios[0]) as (typeof scenarios)[0];
  delete m00.tek['rollingPeriod'];
  delete m00.mapping;
  for (const sighting of m00.sightings) delete sighting['rpi'];
  delete m00.expected['exposuresV1'];
  expect(run({ matchingScenarios: { scenarios: [m00] } })).toEqual([
    { name: 'matchingScenarios scenarios[0] m00', ok: true },
  ]);
  expect(failed(run({ scenarios: [{ ...m00, expected: {} }] }))).toBe(1);
  expect(failed(run({ scenarios: [{ ...m00, expected: { exposureWindows: [] } }] }))).toBe(1);
});

test('v2: rounding is off exactly when the mapping is missing; a wrong expectation fails; unknown expectations fail', () => {
  const range = { min: 0, max: 15, maxExclusive: true };
  const configuration = {
    minutesAtAttenuationWeights: [{ attenuationRange: { min: 0, max: 55, maxExclusive: true }, weight: 1 }],
    normalizedTimePerEWToRiskLevelMapping: [{ normalizedTimeRange: { min: 0, max: 9999 }, riskLevel: 1 }],
    normalizedTimePerDayToRiskLevelMapping: [
      { normalizedTimeRange: range, riskLevel: 1 },
      { normalizedTimeRange: { min: 15, max: 9999 }, riskLevel: 2 },
    ],
  };
  const windows = [
    {
      ageInDays: 1,
      reportType: 2,
      infectiousness: 1,
      calibrationConfidence: 0,
      scanInstances: [{ minAttenuation: 30, secondsSinceLastScan: 899 }],
    },
  ];
  const suite = (config: Json, level: number, extra: Json = {}): Json => ({
    defaultRiskCalculationConfiguration: { ...configuration, ...config },
    testCases: [{ exposureWindows: windows, expTotalRiskLevel: level, ...extra }],
  });
  expect(failed(run(suite({ transmissionRiskLevelMultiplier: 0.2 }, 1)))).toBe(0);
  const mapping = { transmissionRiskValueMapping: [{ transmissionRiskLevel: 5, transmissionRiskValue: 1 }] };
  expect(failed(run(suite(mapping, 2)))).toBe(0);
  expect(failed(run(suite(mapping, 1)))).toBe(1);
  expect(failed(run(suite(mapping, 2, { expNumberOfSunnyDays: 1 })))).toBe(1);
});

test.each([
  ['{"a": [1, 2,]}', 12, 1],
  ['{"a":\n "ä",\n x}', 14, 3],
  ['{"a": 1', 7, 1],
  ['', 0, 1],
  ['nonsense', 0, 1],
  ['{"a": 1} {', 9, 1],
])('broken JSON %j names byte and line', (text, byte, line) => {
  expect(() => run(text)).toThrow(
    expect.objectContaining({ reason: 'NOT_JSON', message: expect.stringContaining(`at byte ${byte}, line ${line}`) }),
  );
});

test('a file that nests as deep as it likes is no JSON, not a crash', () => {
  for (const deep of ['['.repeat(100_000), '{"a":'.repeat(100_000)]) {
    expect(() => run(deep)).toThrow(expect.objectContaining({ reason: 'NOT_JSON' }));
  }
});

test('unknown format, no object and a missing file are typed errors', () => {
  expect(() => run({ hello: 'world' })).toThrow(expect.objectContaining({ reason: 'UNKNOWN_FORMAT' }));
  expect(() => run([])).toThrow(expect.objectContaining({ reason: 'UNKNOWN_FORMAT' }));
  expect(() => checkVectorFile(join(folder, 'absent.json'))).toThrow(expect.objectContaining({ reason: 'UNREADABLE' }));
});
