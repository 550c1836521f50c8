import { dayStartInterval, DAY_SECONDS, INTERVAL_SECONDS, intervalNumber } from '../../lib/exposure/intervals.ts';
import { makeProbeKey } from '../../lib/exposure/probe-key.ts';
import type { Random } from '../../lib/random/random.ts';
import { meet } from '../../phone/encounter.ts';
import { Matcher } from '../../phone/matcher.ts';
import { Phone } from '../../phone/phone.ts';
import { keysForUpload, type UploadKey } from '../../phone/submission-vector.ts';
import type { Deps } from './deps.ts';

/** Days of keys that a person uploads, the day in progress among them. */
const days = 14;

export interface Meeting {
  /** The keys of the one who will test positive, each of them synthetic. */
  readonly keys: readonly UploadKey[];
  /** What the other's phone has seen. */
  readonly witness: Matcher;
}

/**
 * Two people who do not exist: two days ago at noon one stood near the other for 20 minutes, which every configuration
 * of the service must call a high risk.
 */
export function meetTwoDaysAgo(d: Deps): Meeting {
  const nowSeconds = Math.floor(d.clock.nowMs() / 1_000);
  const today = dayStartInterval(intervalNumber(nowSeconds)) * INTERVAL_SECONDS;
  const ill = new Phone({
    http: d.phones,
    clock: d.clock,
    random: randomOfKeys(d.random, d.probeKeySecret),
    trustedKeys: d.trusted,
  });
  ill.liveThrough(today - (days - 1) * DAY_SECONDS, nowSeconds);
  const witness = new Matcher();
  const other = {
    transmitPower: ill.transmitPower,
    advertisementAt: () => Buffer.alloc(20),
    hear: witness.addSighting.bind(witness),
  };
  meet(ill, other, { startSeconds: today - 36 * 3_600, minutes: 20, attenuationDb: 40, random: d.random });
  const released = ill.keys.release(nowSeconds, { earlyRelease: true });
  return { keys: keysForUpload(released, { kind: 'symptoms-on-date', daysAgo: 2 }, nowSeconds, days), witness };
}

/** A phone takes the 16 octets of its keys from here, and nothing else of that length. */
const randomOfKeys = (random: Random, secret: string): Random => ({
  ...random,
  bytes: (length) => (length === 16 ? makeProbeKey(secret, random.bytes(8)) : random.bytes(length)),
});
