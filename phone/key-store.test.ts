import { expect, test } from 'vitest';
import { seededRandom } from '../lib/random/random.ts';
import { KeyStore } from './key-store.ts';
import { keysForUpload } from './submission-vector.ts';

const MIDNIGHT = 1_585_785_600;
const DAY = 86_400;

test('rotation: new TEK at 00:00:00Z, not at 23:59:59Z; aligned start (C-1 to C-4)', () => {
  const store = new KeyStore(seededRandom('a'));
  const first = store.current(MIDNIGHT - DAY + 5000);
  expect(store.current(MIDNIGHT - 1)).toBe(first);
  const second = store.current(MIDNIGHT);
  expect(second.keyData.equals(first.keyData)).toBe(false);
  expect(second).toMatchObject({ rollingStartIntervalNumber: 2_642_976, rollingPeriod: 144 });
  expect(store.inUseAt(2_642_975)).toBe(first);
  expect(store.inUseAt(2_642_976)).toBe(second);
});

test('without early release the TEK of the running day is withheld', () => {
  const store = new KeyStore(seededRandom('b'));
  store.current(MIDNIGHT - DAY);
  store.current(MIDNIGHT);
  expect(store.release(MIDNIGHT + 3600).map((key) => key.rollingStartIntervalNumber)).toEqual([2_642_976 - 144]);
});

test('early release: cut period, second TEK of the day, both submitted with equal TRL / DSOS', () => {
  const store = new KeyStore(seededRandom('c'));
  store.current(MIDNIGHT);
  const released = store.release(MIDNIGHT + 3 * 3600, { earlyRelease: true });
  expect(released).toHaveLength(1);
  expect(released[0]).toMatchObject({ rollingStartIntervalNumber: 2_642_976, rollingPeriod: 18 });
  const fresh = store.current(MIDNIGHT + 3 * 3600);
  expect(fresh).toMatchObject({ rollingStartIntervalNumber: 2_642_976, rollingPeriod: 144 });
  expect(store.inUseAt(2_642_976 + 17)?.rollingPeriod).toBe(18);
  expect(store.inUseAt(2_642_976 + 18)).toBe(fresh);
  const later = MIDNIGHT + DAY;
  const keys = keysForUpload(store.release(later), { kind: 'no-symptoms' }, later);
  expect(keys.map((key) => key.rollingPeriod).sort()).toEqual([144, 18]);
  expect(new Set(keys.map((key) => `${key.transmissionRiskLevel} ${key.daysSinceOnsetOfSymptoms}`)).size).toBe(1);
});

test('early release in the first interval of a day still covers one interval', () => {
  const store = new KeyStore(seededRandom('d'));
  expect(store.release(MIDNIGHT + 1, { earlyRelease: true })[0]?.rollingPeriod).toBe(1);
});

test('C-6: own keys are kept 14 days, then erased; newest first', () => {
  const store = new KeyStore(seededRandom('e'));
  for (let day = 0; day <= 20; day++) store.current(MIDNIGHT + day * DAY);
  const released = store.release(MIDNIGHT + 20 * DAY + 60);
  expect(released.map((key) => (key.rollingStartIntervalNumber - 2_642_976) / 144)).toEqual([
    19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6,
  ]);
});
