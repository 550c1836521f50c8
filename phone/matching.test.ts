import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openArchive } from '../lib/exposure/export-archive.ts';
import { type DecodedKey, decodeKeyExport } from '../lib/exposure/key-export-reader.ts';
import { seededRandom } from '../lib/random/random.ts';
import { advertisement, identifier } from './crypto.ts';
import { exposureOf, stretches, weightedAttenuation } from './exposures-v1.ts';
import { Matcher, type MatcherOptions } from './matcher.ts';
import { encodeMetadata } from './metadata.ts';
import type { Sighting } from './sighting.ts';
import { cutWindows, DEFAULT_KEYS_DATA_MAPPING as MAPPING } from './windows.ts';

const START = 2_642_976;
const keyData = Buffer.from('75c734c6dd1a782de7a965da5eb93125', 'hex');
const peer = new URL('../../shared/data/peer/', import.meta.url);
const withPeer = test.skipIf(!existsSync(peer));
const aKey = (fields: DecodedKey = {}): DecodedKey => ({
  keyData,
  rollingStartIntervalNumber: START,
  rollingPeriod: 144,
  reportType: 1,
  daysSinceOnsetOfSymptoms: 2,
  ...fields,
});

function sighting(
  rpiIndex: number,
  epochSeconds: number,
  extra: Partial<Sighting> & { power?: number; key?: Buffer } = {},
): Sighting {
  const { power = 8, key = keyData, ...fields } = extra;
  const sent = advertisement(key, START + rpiIndex, encodeMetadata({ transmitPower: power }));
  return {
    rpi: sent.subarray(0, 16),
    aem: sent.subarray(16),
    rssi: -50,
    epochSeconds,
    previousScanEpochSeconds: 0,
    ...fields,
  };
}
function matched(sightings: readonly Sighting[], key = aKey(), options: MatcherOptions = {}): Matcher {
  const matcher = new Matcher(options);
  for (const one of sightings) matcher.addSighting(one);
  matcher.matchKeys([key], MAPPING);
  return matcher;
}
const at = (interval: number): number => (START + interval) * 600;
const windowsOf = (matcher: Matcher): number => matcher.timedWindows(MAPPING).length;

test('tolerance borders (M-5): +-12 in, +-13 out, to the second', () => {
  for (const [seconds, hits] of [
    [at(60 - 12), 1],
    [at(60 - 12) - 1, 0],
    [at(60 + 13) - 1, 1],
    [at(60 + 13), 0],
  ] as const) {
    expect(windowsOf(matched([sighting(60, seconds)])), `${seconds}`).toBe(hits);
  }
});

test('tolerance holds over midnight and beyond the end of the key', () => {
  expect(windowsOf(matched([sighting(0, at(-12))]))).toBe(1);
  expect(windowsOf(matched([sighting(143, at(143 + 12))]))).toBe(1);
});

test('replay guard (M-6): 1200 s in, 1201 s out; refused sightings do not serve as first', () => {
  const scans = (seconds: readonly number[]): number =>
    matched(seconds.map((s) => sighting(50, at(50) + s)))
      .timedWindows(MAPPING)
      .flatMap((w) => w.scanInstances).length;
  expect(scans([0, 1200])).toBe(2);
  expect(scans([0, 1201])).toBe(1);
  expect(scans([-2 * 3600 - 700, 600, 1200])).toBe(2);
});

test('transmit power bounds (M-7): 20 and -50 in, 21 and -51 out', () => {
  for (const [power, hits] of [
    [20, 1],
    [21, 0],
    [-50, 1],
    [-51, 0],
  ] as const) {
    expect(windowsOf(matched([sighting(5, at(5), { power })])), `${power}`).toBe(hits);
  }
});

test('a record without four octets of metadata is ignored (M-7), one without a whole identifier too', () => {
  expect(
    windowsOf(matched([sighting(5, at(5), { aem: Buffer.alloc(3) }), sighting(6, at(6), { rpi: Buffer.alloc(3) })])),
  ).toBe(0);
});

test('rolling period (M-4): index 59 in, 60 out', () => {
  const key = aKey({ rollingPeriod: 60 });
  expect(windowsOf(matched([sighting(59, at(59))], key))).toBe(1);
  expect(windowsOf(matched([sighting(60, at(60))], key))).toBe(0);
});

test('key admission (M-2): form and report type; skipping one never fails the file; absent period is 144', () => {
  const seen = [sighting(100, at(100))];
  const { rollingPeriod: _, reportType: __, ...bare } = aKey();
  expect(windowsOf(matched(seen, bare))).toBe(1);
  for (const fields of [
    { keyData: Buffer.alloc(15) },
    { rollingPeriod: 0 },
    { rollingPeriod: 145 },
    { rollingStartIntervalNumber: -1 },
    { reportType: 4 },
    { reportType: 5 },
    { reportType: 6 },
    { reportType: -1 },
  ]) {
    expect(windowsOf(matched(seen, aKey(fields))), JSON.stringify(fields)).toBe(0);
  }
  expect(windowsOf(matched(seen, aKey({ reportType: 4 }), { matchRecursive: true }))).toBe(1);
  expect(matched(seen, aKey({ reportType: 0 })).timedWindows(MAPPING)[0]?.reportType).toBe(1);
});

test('repeats (M-3): a matched key is not matched again, one tried with another period is skipped', () => {
  const matcher = matched([sighting(100, at(100))], aKey({ rollingPeriod: 50 }));
  expect(matcher.matchKeys([aKey()], MAPPING)).toBe(0);
  const other = matched([sighting(100, at(100))]);
  expect(other.matchKeys([aKey()], MAPPING)).toBe(0);
  expect(windowsOf(other)).toBe(1);
});

test('infectiousness mapping (M-13): absent or beyond 14 days is the default, windows with none are dropped', () => {
  const seen = [sighting(100, at(100))];
  const { daysSinceOnsetOfSymptoms: _, ...withoutDays } = aKey();
  expect(windowsOf(matched(seen, withoutDays))).toBe(0);
  expect(windowsOf(matched(seen, aKey({ daysSinceOnsetOfSymptoms: 15 })))).toBe(0);
  expect(windowsOf(matched(seen, aKey({ daysSinceOnsetOfSymptoms: 0 })))).toBe(0);
  expect(matched(seen, aKey({ daysSinceOnsetOfSymptoms: 1 })).timedWindows(MAPPING)[0]?.infectiousness).toBe(1);
});

test('change of status (M-15): once, along the allowed ways; revoked windows are never returned', () => {
  const seen = [sighting(100, at(100))];
  const types = (first: number, ...next: number[]): (number | undefined)[] => {
    const matcher = matched(seen, aKey({ reportType: first }));
    return next.map((reportType) => {
      matcher.matchKeys([aKey({ reportType })], MAPPING);
      return matcher.timedWindows(MAPPING)[0]?.reportType;
    });
  };
  expect(types(3, 1)).toEqual([1]);
  expect(types(3, 2, 1)).toEqual([2, 2]);
  expect(types(2, 1)).toEqual([1]);
  expect(types(2, 3)).toEqual([2]);
  expect(types(1, 5)).toEqual([1]);
  expect(types(3, 5)).toEqual([undefined]);
  const revised = matched(seen, aKey({ reportType: 3 }));
  revised.reviseKeys([aKey({ reportType: 5 }), aKey({ keyData: Buffer.alloc(16), reportType: 1 })]);
  expect(windowsOf(revised)).toBe(0);
});

test('scan grouping (M-11): 25.5 s joins, more opens a new scan; unknown previous scan is 120 s; typical is half-up', () => {
  const accepted = (epochSeconds: number, attenuationDb: number): Parameters<typeof cutWindows>[0][0] => ({
    rpiIndex: 0,
    rssi: 0,
    calibrationConfidence: 2,
    previousScanEpochSeconds: 0,
    epochSeconds,
    attenuationDb,
  });
  const [window] = cutWindows([accepted(0, 10), accepted(25, 11), accepted(50, 14), accepted(76, 1)], {
    reportType: 1,
    infectiousness: 2,
  });
  expect(window).toMatchObject({
    calibrationConfidence: 2,
    scanInstances: [
      { typicalAttenuationDb: 12, minAttenuationDb: 10, secondsSinceLastScan: 120 },
      { typicalAttenuationDb: 1, minAttenuationDb: 1, secondsSinceLastScan: 120 },
    ],
  });
  expect(
    cutWindows([accepted(0, 1), accepted(1, 2)], { reportType: 1, infectiousness: 1 })[0]?.scanInstances[0]
      ?.typicalAttenuationDb,
  ).toBe(2);
});

test('window cutting (M-10): 1799 s after the start of the window stays, 1800 s opens the next', () => {
  const accepted = (epochSeconds: number): Parameters<typeof cutWindows>[0][0] => ({
    rpiIndex: 0,
    rssi: 0,
    calibrationConfidence: 0,
    previousScanEpochSeconds: 0,
    epochSeconds,
    attenuationDb: 1,
  });
  expect(cutWindows([0, 900, 1799].map(accepted), { reportType: 1, infectiousness: 1 })).toHaveLength(1);
  expect(cutWindows([0, 900, 1800].map(accepted), { reportType: 1, infectiousness: 1 })).toHaveLength(2);
});

test('weighted attenuation example (M-20): 3', () => {
  const parts = stretches(
    [
      { epochSeconds: 0, attenuationDb: 1 },
      { epochSeconds: 10, attenuationDb: 4 },
      { epochSeconds: 50, attenuationDb: 5 },
    ],
    6,
  );
  expect(parts.map(({ seconds }) => seconds)).toEqual([3, 10, 40, 3]);
  expect(weightedAttenuation(parts)).toBe(3);
});

test('exposure per person-day (M-22): two ten-minute encounters of one key, hours apart: one exposure, D = 20', () => {
  const ten = (interval: number): Sighting[] => [
    sighting(interval, at(interval)),
    sighting(interval, at(interval) + 300),
  ];
  const [entry] = matched([...ten(20), ...ten(60)]).encounters({ low: 55, high: 63 });
  expect(entry?.encounters.map(({ durationSeconds }) => durationSeconds)).toEqual([600, 600]);
  const exposure = entry && exposureOf(entry.key, entry.encounters);
  expect(exposure).toMatchObject({
    durationMinutes: 20,
    attenuationValue: 58,
    bucketSeconds: [0, 1200, 0],
    dayEpochSeconds: START * 600,
  });
});

test('one value per scan (M-16): the strongest packet stands for its scan; a gap of 600 s does not split, 601 s does (M-17)', () => {
  const strongest = matched([
    sighting(20, at(20), { rssi: -60 }),
    sighting(20, at(20) + 2, { rssi: -40 }),
    sighting(20, at(20) + 4, { rssi: -70 }),
  ]);
  expect(strongest.encounters({ low: 55, high: 63 })[0]?.encounters[0]?.attenuationValue).toBe(48);
  const split = (gap: number): number | undefined =>
    matched([sighting(20, at(20)), sighting(21, at(20) + gap)]).encounters({ low: 55, high: 63 })[0]?.encounters.length;
  expect(split(600)).toBe(1);
  expect(split(601)).toBe(2);
});

test('retention: sightings and results older than 14 days are erased', () => {
  const matcher = matched([sighting(100, at(100))]);
  matcher.prune(at(0) + 14 * 86_400);
  expect(windowsOf(matcher)).toBe(1);
  matcher.prune(at(0) + 15 * 86_400);
  expect(windowsOf(matcher)).toBe(0);
});

withPeer(
  'bulk matching: planted RPIs of chosen keys of keys.bin found among 3 474 864, no others (skipped when ../shared/data/peer is missing)',
  async () => {
    const { keys } = decodeKeyExport((await openArchive(readFileSync(new URL('keys.bin', peer)))).bin);
    const random = seededRandom('bulk');
    const matcher = new Matcher();
    const chosen = [0, 1234, 24_130].map((i) => keys[i] as Required<DecodedKey>);
    for (const key of chosen) {
      const interval = key.rollingStartIntervalNumber + 70;
      const sent = advertisement(key.keyData, interval, encodeMetadata({ transmitPower: 0 }));
      matcher.addSighting({
        rpi: sent.subarray(0, 16),
        aem: sent.subarray(16),
        rssi: -60,
        epochSeconds: interval * 600,
        previousScanEpochSeconds: 0,
      });
    }
    for (let i = 0; i < 20_000; i++)
      matcher.addSighting({
        rpi: random.bytes(16),
        aem: random.bytes(4),
        rssi: -60,
        epochSeconds: 1_590_900_000,
        previousScanEpochSeconds: 0,
      });
    expect(matcher.matchKeys(keys, { ...MAPPING, infectiousnessWhenDaysSinceOnsetMissing: 1 })).toBe(3);
    expect(keys.length * 144).toBe(3_474_864);
    expect(matcher.timedWindows({ ...MAPPING, infectiousnessWhenDaysSinceOnsetMissing: 1 })).toHaveLength(3);
  },
  30_000,
);

withPeer(
  'key of an export file (C-10, M-4): key found among the 110 of google-sample-export.bin, RPIs equal (skipped when ../shared/data/peer is missing)',
  () => {
    const { keys, signatureInfos } = decodeKeyExport(readFileSync(new URL('google-sample-export.bin', peer)));
    expect(keys).toHaveLength(110);
    expect(signatureInfos[0]?.verificationKeyId).toBeUndefined();
    const key = keys.find((candidate) => candidate.keyData?.toString('hex') === '2b714d3ec93c14e5d345003e59027aea');
    expect(key).toMatchObject({ rollingStartIntervalNumber: 2_646_801, rollingPeriod: 89 });
    expect(identifier(key?.keyData as Buffer, 2_646_889).toString('hex')).toBe('b61c8e070671f0209de9b54dcd81fbab');
  },
);
