import { secureRandom } from '../../lib/random/random.ts';
import { INTERVALS_PER_DAY } from '../../lib/exposure/intervals.ts';
import { advertisement } from '../../phone/crypto.ts';
import { Matcher } from '../../phone/matcher.ts';
import { encodeMetadata } from '../../phone/metadata.ts';
import { DEFAULT_KEYS_DATA_MAPPING } from '../../phone/windows.ts';
import type { Bench } from './bench.ts';
import { median, rounded } from './record.ts';

const keys = 24_000;
/** Packets of strangers: every five minutes for 14 days, six in sight. */
const strangers = 14 * 288 * 6;
const met = 20;
const firstInterval = 2_642_976;
const rounds = 3;

/** One day's download on a phone: every identifier of every key is made and looked for. */
export const matching: Bench = async () => {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const published = Array.from({ length: keys }, () => ({
      keyData: secureRandom.bytes(16),
      rollingStartIntervalNumber: firstInterval,
      rollingPeriod: INTERVALS_PER_DAY,
      reportType: 1,
      daysSinceOnsetOfSymptoms: 2,
    }));
    const matcher = new Matcher();
    for (let i = 0; i < strangers; i++) see(matcher, secureRandom.bytes(20), 0);
    for (const { keyData } of published.slice(0, met)) {
      see(matcher, advertisement(keyData, firstInterval + 70, encodeMetadata({ transmitPower: 8 })), 70);
    }
    const startedAt = performance.now();
    const matched = matcher.matchKeys(published, DEFAULT_KEYS_DATA_MAPPING);
    seconds.push((performance.now() - startedAt) / 1000);
    if (matched !== met) throw new Error(`${matched} keys matched instead of ${met}`);
  }
  const identifiers = keys * INTERVALS_PER_DAY;
  const value = median(seconds);
  return [
    { name: 'matching of 24,000 keys', value: rounded(value), unit: 's', goal: { atMost: 5 } },
    { name: 'matching, identifiers', value: Math.round(identifiers / value), unit: 'identifiers/s' },
  ];
};

function see(matcher: Matcher, packet: Buffer, interval: number): void {
  matcher.addSighting({
    rpi: packet.subarray(0, 16),
    aem: packet.subarray(16),
    rssi: -60,
    epochSeconds: (firstInterval + interval) * 600,
    previousScanEpochSeconds: 0,
  });
}
