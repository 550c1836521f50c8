import { expect, test } from 'vitest';
import { seededRandom } from '../lib/random/random.ts';
import { advertisement } from './crypto.ts';
import { meet, type Radio } from './encounter.ts';
import { encodeMetadata } from './metadata.ts';
import type { Sighting } from './sighting.ts';

function aRadio(fill: number, transmitPower: number): Radio & { heard: Sighting[] } {
  const heard: Sighting[] = [];
  const key = Buffer.alloc(16, fill);
  return {
    heard,
    transmitPower,
    advertisementAt: (s) => advertisement(key, Math.floor(s / 600), encodeMetadata({ transmitPower })),
    hear: (s) => void heard.push(s),
  };
}

test('both phones hear each other, with the power of the sender less the attenuation', () => {
  const [a, b] = [aRadio(1, -12), aRadio(2, 8)];
  meet(a, b, { startSeconds: 6000, minutes: 20, attenuationDb: 60, random: seededRandom('x'), scanJitterSeconds: 0 });
  expect(new Set(a.heard.map(({ rssi }) => rssi))).toEqual(new Set([-52]));
  expect(new Set(b.heard.map(({ rssi }) => rssi))).toEqual(new Set([-72]));
  expect(new Set(b.heard.map(({ previousScanEpochSeconds }) => previousScanEpochSeconds))).toEqual(
    new Set([5700, 6000, 6300, 6600]),
  );
  expect(new Set(b.heard.map(({ rpi }) => rpi.toString('hex'))).size).toBe(2);
});

test('C-19: scans at most five minutes apart, at least 211 s, all within the contact; repeatable from one seed', () => {
  const run = (): Sighting[] => {
    const [a, b] = [aRadio(1, 0), aRadio(2, 0)];
    meet(a, b, { startSeconds: 0, minutes: 120, attenuationDb: 60, random: seededRandom('seed') });
    return b.heard;
  };
  const heard = run();
  expect(run()).toEqual(heard);
  const scans = [...new Set(heard.filter((_, i) => i % 3 === 0).map(({ epochSeconds }) => epochSeconds))];
  for (const [i, scan] of scans.slice(1).entries()) {
    const gap = scan - (scans[i] as number);
    expect(gap).toBeLessThanOrEqual(300);
    expect(gap).toBeGreaterThanOrEqual(211);
  }
  expect(scans.at(-1)).toBeLessThan(7200);
});

test('the shortest contact is heard once', () => {
  for (const seed of ['a', 'b', 'c']) {
    const [a, b] = [aRadio(1, 0), aRadio(2, 0)];
    meet(a, b, { startSeconds: 0, minutes: 1, attenuationDb: 60, random: seededRandom(seed) });
    expect(new Set(b.heard.map(({ previousScanEpochSeconds }) => previousScanEpochSeconds)).size).toBe(1);
  }
});
