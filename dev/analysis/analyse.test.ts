import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packArchive } from '../../lib/exposure/export-archive.ts';
import { encodeKeyExport } from '../../lib/exposure/key-export.ts';
import { type DecodedKey, decodeKeyExport } from '../../lib/exposure/key-export-reader.ts';
import type { ExportKey } from '../../lib/exposure/key-writer.ts';
import { seededRandom } from '../../lib/random/random.ts';
import type { SymptomAnswer } from '../../phone/submission-vector.ts';
import { analyse } from './analyse.ts';
import { population } from './fixtures/population.ts';
import { mostPairs } from './largest-flow.ts';
import { linkability } from './linkability.ts';
import { paddingSuspicion } from './padding-suspicion.ts';
import { entropyBits } from './size-bound.ts';

const day = 18_500;
const classic: SymptomAnswer = { kind: 'never-asked' };
const mixed: readonly SymptomAnswer[] = [
  classic,
  { kind: 'no-answer' },
  { kind: 'no-symptoms' },
  { kind: 'symptoms-no-date' },
  { kind: 'symptoms-last-seven-days' },
  { kind: 'symptoms-one-to-two-weeks' },
  { kind: 'symptoms-on-date', daysAgo: 3 },
  { kind: 'symptoms-on-date', daysAgo: 6 },
];
const linked = (keys: readonly DecodedKey[], multiplier = 1) => linkability([{ day, keys }], multiplier);

test('issue #620: users who all uploaded the table of the first apps are counted exactly', () => {
  const keys = population(seededRandom('classic'), {
    users: 57,
    publicationDay: day,
    answers: [classic],
    minimumLevel: 1,
  });
  expect(linked(keys)).toMatchObject({
    separatedUsers: 57,
    usersByBusiestDay: 57,
    usersByLevelSix: 57,
    keysPerSeparatedUser: 14,
    unambiguousUsers: 0,
    keysNotUsed: 0,
  });
});

test('one user in a file: the keys belong together without doubt; two alike: they do not', () => {
  const of = (users: number) => population(seededRandom('few'), { users, publicationDay: day, answers: [classic] });
  expect(of(1)).toHaveLength(6);
  expect(linked(of(1))).toMatchObject({ separatedUsers: 1, unambiguousUsers: 1, keysOfUnambiguousUsers: 6 });
  expect(linked(of(2))).toMatchObject({ separatedUsers: 2, unambiguousUsers: 0, keysOfUnambiguousUsers: 0 });
});

test('the old multiplier is recognised, divided out, and hides nobody (fault 4)', () => {
  for (const multiplier of [5, 10]) {
    const keys = population(seededRandom('padded'), { users: 30, publicationDay: day, answers: mixed, multiplier });
    expect(paddingSuspicion(keys)).toMatchObject({ multiplier });
    const bare = population(seededRandom('padded'), { users: 30, publicationDay: day, answers: mixed });
    expect(paddingSuspicion(bare).multiplier).toBe(1);
    expect(linked(keys, multiplier).separatedUsers).toBeGreaterThan(20);
    expect(linked(keys, multiplier).separatedUsers).toBeLessThanOrEqual(30);
  }
});

test('a pool cut into packages still shows its multiplier; random group sizes show none', () => {
  const keys = population(seededRandom('torn'), { users: 200, publicationDay: day, answers: mixed, multiplier: 10 });
  expect(paddingSuspicion(keys.slice(3)).multiplier).toBe(10);
  for (let i = 0; i < 50; i++) {
    const users = 20 + i * 7;
    const random = seededRandom(`honest-${i}`);
    const honest = population(random, { users, publicationDay: day, answers: mixed, daysOffPercent: 10 });
    expect(paddingSuspicion(honest).multiplier).toBe(1);
  }
});

test('a mixed population: never more than one chain a key, never fewer than the busiest day, close to the truth', () => {
  for (const users of [10, 100, 1000]) {
    const keys = population(seededRandom(`mixed-${users}`), { users, publicationDay: day, answers: mixed });
    const found = linked(keys);
    expect(found.separatedUsers).toBeGreaterThanOrEqual(found.usersByBusiestDay);
    expect(found.separatedUsers).toBeLessThanOrEqual(users);
    expect(found.separatedUsers).toBeGreaterThan(0.85 * users);
  }
});

test('days without a key break a chain: the same people look like more', () => {
  const of = (daysOffPercent: number) =>
    linked(
      population(seededRandom('off'), {
        users: 5,
        publicationDay: day,
        answers: [classic],
        minimumLevel: 1,
        daysOffPercent,
      }),
    ).separatedUsers;
  expect(of(0)).toBe(5);
  expect(of(40)).toBeGreaterThan(5);
});

test('keys that a person has beside the one from midnight are told apart from the days', () => {
  const [key] = population(seededRandom('split'), { users: 1, publicationDay: day, answers: [classic] });
  const second = { ...key, rollingStartIntervalNumber: (key?.rollingStartIntervalNumber ?? 0) + 70, rollingPeriod: 74 };
  expect(linked([key as DecodedKey, second, { keyData: Buffer.alloc(16) }])).toMatchObject({
    separatedUsers: 1,
    keysNotUsed: 2,
  });
});

test('most pairs: equal to trying everything, for groups of any size', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 3, maxLength: 3 });
  const allowed = fc.array(fc.boolean(), { minLength: 9, maxLength: 9 });
  fc.assert(
    fc.property(sizes, sizes, allowed, (left, right, fits) => {
      const ok = (from: number, to: number) => fits[from * 3 + to] ?? false;
      expect(mostPairs(left, right, ok)).toBe(byTrying(left, right, ok));
    }),
  );
});

/** Hall's theorem in its deficiency form: no flow involved. */
function byTrying(left: readonly number[], right: readonly number[], fits: (a: number, b: number) => boolean): number {
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  let deficiency = 0;
  for (let set = 0; set < 2 ** left.length; set++) {
    const chosen = [...left.keys()].filter((i) => (set >> i) & 1);
    const reach = [...right.keys()].filter((to) => chosen.some((from) => fits(from, to)));
    deficiency = Math.max(deficiency, sum(chosen.map((i) => left[i] ?? 0)) - sum(reach.map((i) => right[i] ?? 0)));
  }
  return sum(left) - deficiency;
}

test('the entropy bound: a set of keys, its order for nothing, and what tells metadata apart', () => {
  const keys = population(seededRandom('entropy'), { users: 2, publicationDay: day, answers: [classic] });
  const same = keys.map((key) => ({ ...key, ...keys[0], keyData: key.keyData as Buffer }));
  const n = keys.length;
  const free = Math.log2(Array.from({ length: n }, (_, i) => i + 1).reduce((a, b) => a * b, 1));
  expect(entropyBits(same)).toBeCloseTo(128 * n - free, 3);
  // Six days and levels, two keys each.
  expect(entropyBits(keys)).toBeCloseTo(128 * n - free + n * Math.log2(6), 3);
  expect(entropyBits([])).toBe(0);
});

async function aFile(keys: readonly DecodedKey[]) {
  const bin = encodeKeyExport({
    start: day * 86_400,
    end: (day + 1) * 86_400,
    region: 'DE',
    batchNum: 1,
    batchSize: 1,
    signatureInfos: [],
    keys: keys as readonly ExportKey[],
  });
  const zip = await packArchive(bin, Buffer.alloc(138, 7));
  return { content: decodeKeyExport(bin), rawBytes: bin.length, zippedBytes: zip.length };
}

test('the analysis of files: counts add up, sizes lie between the bound and the issue, truth stands beside', async () => {
  const users = 2000;
  const keys = population(seededRandom('file'), { users, publicationDay: day, answers: mixed });
  const whole = await aFile(keys);
  const found = analyse([whole, await aFile(keys.slice(0, 500))], users);
  expect(found).toMatchObject({ files: 2, keyCount: keys.length, repeatedKeys: 500 });
  for (const counts of [found.byLevel, found.byReportType, found.byDay, found.byRollingPeriod]) {
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(keys.length);
  }
  expect(Object.keys(found.byLevel)).toEqual(['3', '4', '5', '6', '7', '8']);
  expect(found.byRollingPeriod).toEqual({ 144: keys.length });
  expect(Object.keys(found.byDay).every((name) => /^\d{4}-\d\d-\d\d$/.test(name))).toBe(true);
  const { sizes, linkability: links } = analyse([whole], users);
  expect(sizes.rawBytesPerKey).toBeCloseTo(34, 0);
  expect(sizes.zippedBytesPerKey).toBeLessThanOrEqual(18.6);
  expect(sizes.entropyBytesPerKey).toBeLessThan(sizes.zippedBytesPerKey ?? 0);
  expect(links.trueUsers).toBe(users);
  expect(links.relativeError).toBeCloseTo(links.separatedUsers / users - 1, 3);
});

test('an empty package is analysed too', async () => {
  expect(analyse([await aFile([])])).toMatchObject({
    keyCount: 0,
    sizes: { zippedBytesPerKey: null, entropyBytesPerKey: null },
    padding: { multiplier: 1, mayBeFilledUp: false },
    linkability: { separatedUsers: 0, trueUsers: null, relativeError: null },
  });
});
