import { createPublicKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { contentHash } from '../../../lib/exposure/content-hash.ts';
import { encodeKeyExport } from '../../../lib/exposure/key-export.ts';
import { verifySignature } from '../../../lib/exposure/signature.ts';
import { dateIndex, hourIndex, openPackage, packageKey, textOf } from '../fixtures/read-store.ts';
import { testSigningKey, world } from '../fixtures/world.ts';

const publicKey = createPublicKey(testSigningKey.reveal());

test('D rows 1, 3, 4, 7, 8, 9: header, sorted keys, signature, signature counts, window times, TRL encoding', async () => {
  const w = await world();
  await w.run();
  for (let level = 3; level <= 8; level++) w.submit(30, { level });
  await w.nextHour();
  w.clock.set('2020-09-14T00:05:00Z');
  await w.run();
  const hour = await openPackage(w.store, packageKey('DE', '2020-09-13', 10));
  const day = await openPackage(w.store, packageKey('EUR', '2020-09-13'));
  for (const opened of [hour, day]) {
    expect(opened.bin.subarray(0, 16).toString()).toBe('EK Export v1    ');
    expect(opened.keyHex).toEqual([...opened.keyHex].sort());
    expect(opened.signatures).toHaveLength(1);
    expect(opened.signatureInfos).toEqual(opened.signatures.map(({ signatureInfo }) => signatureInfo));
    expect(opened.signatureInfos[0]).toEqual({
      appBundleId: 'de.rki.coronawarnapp-dev',
      verificationKeyId: '262',
      verificationKeyVersion: 'v1',
      signatureAlgorithm: '1.2.840.10045.4.3.2',
    });
    const signature = opened.signatures[0]?.signature ?? new Uint8Array();
    expect(verifySignature(publicKey, opened.bin, signature)).toBe(true);
    const flipped = Buffer.from(opened.bin);
    flipped[0] = (flipped[0] ?? 0) ^ 1;
    expect(verifySignature(publicKey, flipped, signature)).toBe(false);
    expect(opened).toMatchObject({ batchNum: 1, batchSize: 1 });
    for (const { transmissionRiskLevel = 0, reportType, daysSinceOnsetOfSymptoms } of opened.keys) {
      expect(reportType).toBe(4 - Math.floor((transmissionRiskLevel - 1) / 2));
      expect(daysSinceOnsetOfSymptoms).toBe(transmissionRiskLevel % 2 === 1 ? 1 : 2);
    }
  }
  const start = Date.parse('2020-09-13T10:00:00Z') / 1000;
  expect(hour).toMatchObject({ region: 'DE', start, end: start + 3600 });
  expect(day).toMatchObject({ region: 'EUR', start: start - 36_000, end: start - 36_000 + 86_400 });
  expect(hour.keys).toHaveLength(180);
  expect(day.keyHex).toEqual(hour.keyHex);
});

test('D rows 14, 15, 16, 17, 18, 19, D faults 5, 18: empty package, listed; current hour and today hidden; first run of day; hour names; index types; countries', async () => {
  const w = await world({ start: '2020-09-12T23:30:00Z' });
  await w.run();
  expect(dateIndex(w.store)).toEqual([]);
  expect(hourIndex(w.store, '2020-09-12')).toEqual([]);
  w.clock.set('2020-09-13T00:05:00Z');
  await w.run();
  expect(textOf(w.store, `${packageKey('EUR', '2020-09-13')}/hour`)).toBe('[]');
  expect(dateIndex(w.store)).toEqual(['2020-09-12']);
  expect(hourIndex(w.store, '2020-09-12')).toEqual([23]);
  w.submit(139);
  for (let hour = 1; hour <= 11; hour++) await w.nextHour();
  w.clock.set('2020-09-13T11:30:00Z');
  await w.run();
  const objects = [...w.store.objects().keys()];
  expect(objects).toContain('version/v1/diagnosis-keys/country/DE/date/2020-09-13/hour/3');
  expect(objects.filter((key) => /2020-09-13\/hour\/(11|0\d)$/.test(key))).toEqual([]);
  expect(objects).not.toContain(packageKey('DE', '2020-09-13'));
  expect(textOf(w.store, 'version/v1/diagnosis-keys/country/DE/date/2020-09-13/hour')).toBe('[0,1,2,3,4,5,6,7,8,9,10]');
  expect(textOf(w.store, 'version/v1/diagnosis-keys/country/DE/date')).toBe('["2020-09-12"]');
  expect(textOf(w.store, 'version/v1/diagnosis-keys/country')).toBe('["DE","EUR"]');
  expect(textOf(w.store, 'version')).toBe('["v1"]');
  expect(textOf(w.store, 'version/index-v2')).toBe('["v2"]');
  const empty = await openPackage(w.store, packageKey('DE', '2020-09-13', 0));
  expect(empty.keys).toEqual([]);
  expect(verifySignature(publicKey, empty.bin, empty.signatures[0]?.signature ?? new Uint8Array())).toBe(true);
});

test('D rows 20, 21: bucket rules in packages; a key in two buckets appears once in EUR', async () => {
  const w = await world();
  await w.run();
  const own = w.submit(140);
  const both = w.submit(10, { origin: 'FR', visited: ['FR', 'DE', 'IT'] });
  const foreign = w.submit(20, { origin: 'FR', visited: ['FR', 'IT'] });
  w.submit(5, { origin: 'SE', visited: ['SE'] });
  await w.nextHour();
  const hex = (keys: { keyData: Buffer }[]) => keys.map(({ keyData }) => keyData.toString('hex')).sort();
  expect((await openPackage(w.store, packageKey('DE', '2020-09-13', 10))).keyHex).toEqual(hex([...own, ...both]));
  expect((await openPackage(w.store, packageKey('EUR', '2020-09-13', 10))).keyHex).toEqual(
    hex([...own, ...both, ...foreign]),
  );
});

test('D row 22: duplicate key_data, RAPID and PCR rows of one key -> one entry, that of the PCR test', async () => {
  const w = await world();
  await w.run();
  w.submit(139);
  const [rapid] = w.submit(1, { type: 1, level: 3 });
  await w.run();
  w.submit(1, { ...rapid, type: 0, level: 8 });
  const [late] = w.submit(1, { type: 0, level: 7 });
  w.submit(1, { ...late, type: 1, level: 4 });
  await w.nextHour();
  const { keys } = await openPackage(w.store, packageKey('DE', '2020-09-13', 10));
  expect(keys).toHaveLength(141);
  const levelOf = (keyData?: Buffer) =>
    keys.find((key) => keyData?.equals(key.keyData ?? Buffer.alloc(0)))?.transmissionRiskLevel;
  expect(levelOf(rapid?.keyData)).toBe(8);
  expect(levelOf(late?.keyData)).toBe(7);
});

test('D rows 27, 31: cwa-hash of export.bin or index, Cache-Control, Content-Type on each PUT', async () => {
  const w = await world();
  await w.run();
  await w.nextHour();
  // Of an index that was put twice, the second body is what the store still has.
  const puts = new Map(
    w.store.requests.filter(({ operation }) => operation === 'put').map((put) => [put.key, put.options]),
  );
  for (const [key, options] of puts) {
    const body = w.store.objects().get(key)?.body ?? Buffer.alloc(0);
    const isPackage = /\/(date\/[\d-]{10}|hour\/\d+)$/.test(key);
    expect(options?.cacheControl).toBe(isPackage ? 'public,max-age=86400,immutable' : 'public,max-age=300');
    const archive = body.subarray(0, 2).toString() === 'PK' || body.length === 0;
    expect(options?.contentType).toBe(archive ? 'application/zip' : 'application/json');
    expect(options?.metadata?.['cwa-hash']).toMatch(/^[0-9a-f]{32}$/);
    if (!archive) expect(options?.metadata?.['cwa-hash']).toBe(contentHash(body));
  }
  const hour = await openPackage(w.store, packageKey('DE', '2020-09-13', 10));
  expect(w.store.objects().get(packageKey('DE', '2020-09-13', 10))?.metadata['cwa-hash']).toBe(contentHash(hour.bin));
});

test('decision 32: a signed empty statistics archive and the v2 twp index with 0-byte hours, every hour in between exists', async () => {
  const w = await world();
  await w.run();
  await w.nextHour();
  const hour = Math.floor(w.clock.nowMs() / 3_600_000);
  expect(textOf(w.store, 'version/v2/twp/country/DE/hour')).toBe(`{"oldest":${hour - 2},"latest":${hour - 1}}`);
  expect(textOf(w.store, 'version/v2/twp/country')).toBe('["DE"]');
  expect(textOf(w.store, `version/v2/twp/country/DE/hour/${hour - 1}`)).toBe('');
  expect(w.store.objects().has('version/v1/stats')).toBe(true);
});

test('D row 2: a day package re-encodes to identical bytes', async () => {
  const w = await world();
  await w.run();
  w.submit(150);
  await w.nextHour();
  const file = await openPackage(w.store, packageKey('EUR', '2020-09-13', 10));
  const again = encodeKeyExport({
    start: file.start ?? 0,
    end: file.end ?? 0,
    region: file.region ?? '',
    batchNum: 1,
    batchSize: 1,
    signatureInfos: file.signatureInfos,
    keys: file.keys.map((key) => ({
      keyData: key.keyData ?? Buffer.alloc(0),
      transmissionRiskLevel: key.transmissionRiskLevel ?? 0,
      rollingStartIntervalNumber: key.rollingStartIntervalNumber ?? 0,
      rollingPeriod: key.rollingPeriod ?? 0,
      reportType: key.reportType ?? 0,
      daysSinceOnsetOfSymptoms: key.daysSinceOnsetOfSymptoms ?? 0,
    })),
  });
  expect(again.equals(file.bin)).toBe(true);
});
