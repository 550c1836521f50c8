import { existsSync, readFileSync } from 'node:fs';
import { beforeEach, expect, test } from 'vitest';
import { type ConfigAndroidValues, decodeConfigAndroid } from '../lib/exposure/app-config.ts';
import { dayName, utcDay } from '../lib/exposure/intervals.ts';
import type { ExportKey } from '../lib/exposure/key-writer.ts';
import { publishedFields } from '../lib/exposure/risk-level.ts';
import { seededRandom } from '../lib/random/random.ts';
import { readConfiguration } from './configuration.ts';
import { meet } from './encounter.ts';
import { androidValues, FakeServer } from './fixtures/fake-server.ts';
import { Phone } from './phone.ts';
import { keysForUpload } from './submission-vector.ts';

const DAY = 86_400;
const MIDNIGHT = 1_599_955_200;
const TODAY = dayName(utcDay(MIDNIGHT));
let server: FakeServer;
let nowSeconds: number;
const clock = { nowMs: () => nowSeconds * 1000, monotonicMs: () => 0 };
const aPhone = (name: string): Phone =>
  new Phone({ http: server.http, clock, random: seededRandom(name), trustedKeys: server.trusted });

beforeEach(async () => {
  nowSeconds = MIDNIGHT + 4 * 3600;
  server = new FakeServer(nowSeconds);
  await server.publishConfiguration();
  server.index('', []);
  server.index(`${TODAY}/hour`, []);
});

/** What the back end makes of the uploaded keys (D 2.4). */
function published(phone: Phone): ExportKey[] {
  return keysForUpload(phone.keys.release(nowSeconds), { kind: 'symptoms-on-date', daysAgo: 1 }, nowSeconds).map(
    (key) => ({
      keyData: key.keyData,
      rollingStartIntervalNumber: key.rollingStartIntervalNumber as number,
      rollingPeriod: key.rollingPeriod as number,
      transmissionRiskLevel: key.transmissionRiskLevel as number,
      ...publishedFields(key.transmissionRiskLevel as number),
    }),
  );
}
async function publishHour(hour: number, keys: readonly ExportKey[]): Promise<void> {
  await server.publish(`${TODAY}/hour/${hour}`, keys);
  server.index(`${TODAY}/hour`, [hour]);
}

test('end to end: 20 minutes near a positive phone is high risk, 2 minutes low risk, never met no encounter', async () => {
  const [positive, near, brief, stranger] = ['positive', 'near', 'brief', 'stranger'].map(aPhone) as [
    Phone,
    Phone,
    Phone,
    Phone,
  ];
  const yesterday = MIDNIGHT - 12 * 3600;
  for (const phone of [positive, near, brief, stranger]) phone.liveThrough(MIDNIGHT - 3 * DAY, yesterday);
  const contact = { attenuationDb: 65, random: seededRandom('contact'), scanJitterSeconds: 0 };
  meet(positive, near, { ...contact, startSeconds: yesterday, minutes: 20 });
  meet(positive, brief, { ...contact, startSeconds: yesterday + 3600, minutes: 2 });
  await publishHour(3, published(positive));
  const outcomes = [];
  for (const phone of [near, brief, stranger]) {
    const { newMatches, detection, packages } = await phone.downloadAndMatch();
    expect(packages).toHaveLength(1);
    const risk = phone.risk();
    if (!risk.calculated) throw new Error(risk.reason);
    const {
      totalRiskLevel,
      totalMinimumDistinctEncountersWithLowRisk: low,
      totalMinimumDistinctEncountersWithHighRisk: high,
    } = risk.result;
    outcomes.push({ newMatches, detection, totalRiskLevel, low, high });
  }
  expect(outcomes).toEqual([
    { newMatches: 1, detection: 'RUN', totalRiskLevel: 2, low: 0, high: 1 },
    { newMatches: 1, detection: 'RUN', totalRiskLevel: 1, low: 1, high: 0 },
    { newMatches: 0, detection: 'RUN', totalRiskLevel: 1, low: 0, high: 0 },
  ]);
  expect(near.timedWindows()).toHaveLength(1);
  expect(near.exposureWindows()[0]).not.toHaveProperty('epochSeconds');
  await near.refreshConfigurationV1();
  expect(near.riskV1()).toMatchObject({ summary: { matchedKeyCount: 1, daysSinceLastExposure: 1 } });
});

test('a package that does not verify is dropped and fetched again, its siblings are matched (V-9)', async () => {
  const phone = aPhone('a');
  await server.publish(`${TODAY}/hour/1`, []);
  await publishHour(2, []);
  server.index(`${TODAY}/hour`, [1, 2]);
  const path = `/version/v1/diagnosis-keys/country/EUR/date/${TODAY}/hour/1`;
  const good = server.objects.get(path);
  server.objects.set(path, { body: Buffer.from('no zip'), etag: '"bad"' });
  const first = await phone.downloadAndMatch();
  expect(first.packages.map((item) => item.path.slice(-1))).toEqual(['2']);
  expect(first.rejected).toEqual([{ path, reason: expect.stringContaining('no end record') as string }]);
  server.objects.set(path, good as NonNullable<typeof good>);
  nowSeconds += 4 * 3600;
  server.nowSeconds = nowSeconds;
  expect((await phone.downloadAndMatch()).packages.map((item) => item.path.slice(-1))).toEqual(['1']);
});

test('quota: a second detection within four hours is too soon, and what was downloaded waits for the next one', async () => {
  const phone = aPhone('a');
  await publishHour(3, []);
  expect((await phone.downloadAndMatch()).detection).toBe('RUN');
  nowSeconds += 3600;
  await publishHour(4, []);
  expect(await phone.downloadAndMatch()).toMatchObject({ detection: 'TOO_SOON', packages: [] });
  expect((await phone.downloadAndMatch({ ignoreQuota: true })).packages).toHaveLength(1);
});

test('a clock that is off by two hours blocks detection and risk, not downloads (D-9, R2-12)', async () => {
  const phone = aPhone('a');
  await publishHour(3, []);
  server.nowSeconds = nowSeconds - 7200;
  const outcome = await phone.downloadAndMatch();
  expect(outcome).toMatchObject({ detection: 'CLOCK', sync: { complete: true } });
  expect(server.log).toContain(`${TODAY}/hour/3`);
  expect(phone.risk()).toEqual({ calculated: false, reason: 'CLOCK' });
});

const changed = (fields: object): ConfigAndroidValues => ({ ...(androidValues as object), ...fields });

test('V-10: a configuration that is forged, damaged or refused leaves the last good one in force; an unchanged one is not fetched', async () => {
  const phone = aPhone('a');
  expect((await phone.downloadAndMatch()).configuration).toBe('UPDATED');
  expect(phone.configuration.supportedCountries).toEqual(['DE', 'FR']);
  expect((await phone.downloadAndMatch()).configuration).toBe('FRESH');
  nowSeconds += 301;
  expect((await phone.downloadAndMatch()).configuration).toBe('UNCHANGED');
  const faults: object[] = [
    { riskCalculationParameters: {} },
    { diagnosisKeysDataMapping: { reportTypeWhenMissing: 0 } },
    { diagnosisKeysDataMapping: { reportTypeWhenMissing: 1, daysSinceOnsetToInfectiousness: { 15: 1 } } },
    { dgcParameters: {} },
  ];
  for (const [i, values] of faults.entries()) {
    await server.publishConfiguration(changed(values), `"${i}"`);
    nowSeconds += 301;
    expect((await phone.downloadAndMatch()).configuration).toEqual({
      refused: expect.stringContaining('the configuration is refused') as string,
    });
  }
  const forger = new FakeServer(nowSeconds);
  await forger.publishConfiguration(changed({ supportedCountries: ['XX'] }));
  server.objects.set(
    '/version/v2/app_config_android',
    forger.objects.get('/version/v2/app_config_android') as { body: Buffer; etag: string },
  );
  nowSeconds += 301;
  server.objects.set('/version/v2/app_config_android', {
    ...(server.objects.get('/version/v2/app_config_android') as { body: Buffer }),
    etag: '"forged"',
  });
  expect((await phone.downloadAndMatch()).configuration).toEqual({
    refused: expect.stringContaining('INVALID_SIGNATURE') as string,
  });
  expect(phone.configuration.supportedCountries).toEqual(['DE', 'FR']);
});

const peer = new URL('../../shared/data/peer/appconfig_1_8_0.bin', import.meta.url);
test.skipIf(!existsSync(peer))(
  'malformed configuration: appconfig_1_8_0.bin is refused, it has no TRV list (skipped when ../shared/data/peer is missing)',
  () => {
    const config = decodeConfigAndroid(readFileSync(peer));
    expect(() => readConfiguration(config)).toThrow(expect.objectContaining({ reason: 'RISK_VALUES_MISSING' }));
    expect(config.diagnosisKeysDataMapping?.reportTypeWhenMissing).toBe(0);
  },
);

test('no network: the error passes through and the phone can go on later', async () => {
  const phone = aPhone('a');
  server.broken.add('/version/v2/app_config_android');
  await expect(phone.downloadAndMatch()).rejects.toThrow('connection reset');
  server.broken.clear();
  expect((await phone.downloadAndMatch()).configuration).toBe('UPDATED');
});
