import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { openArchive, packArchive } from '../lib/exposure/export-archive.ts';
import { encodeKeyExport, encodeSignatureList, SIGNATURE_ALGORITHM } from '../lib/exposure/key-export.ts';
import { signDeterministic } from '../lib/exposure/signature.ts';
import { trustedKeys } from '../lib/exposure/signature-list.ts';
import { incompleteBatches, openAndroidConfiguration, openKeyPackage } from './package-check.ts';

const peer = new URL('../../shared/data/peer/', import.meta.url);
const withPeer = test.skipIf(!existsSync(peer));
const DEVELOPMENT =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE3BYTxr2HuJYQG+d7Ezu6KS8GEbFkiEvyJFg0j+C839gTjT6j7Ho0EXXZ/a07ZfvKcC2cmc1SunsrqU9Jov1J5Q==';
const SAMPLE =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE49JY6kekDgxj3Crm4y6kEHdfoKQFSNDM4mV9cgDb+e5nOAw0GeRoRThCu9/wX5wDT2QloFoOjl2pGZHI0f3C3w==';
const OTHER =
  'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEUczyMAkfSeoU77Nmcb1G7t7xyGCAhQqMOIVDFLFas3J+elP7CiotovigCLWj706F07j1EPL27ThRzZl7Ha9uOA==';

const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const ours = trustedKeys({ '262-v1': pair.publicKey.export({ type: 'spki', format: 'der' }).toString('base64') });
const info = { verificationKeyId: '262', verificationKeyVersion: 'v1', signatureAlgorithm: SIGNATURE_ALGORITHM };

async function aPackage(
  fields: { batchNum?: number; batchSize?: number; infos?: number; signatures?: number; header?: boolean } = {},
): Promise<Buffer> {
  const { batchNum = 1, batchSize = 1, infos = 1, signatures = 1, header = true } = fields;
  const full = encodeKeyExport({
    start: 0,
    end: 3600,
    region: 'EUR',
    batchNum,
    batchSize,
    signatureInfos: Array<typeof info>(infos).fill(info),
    keys: [],
  });
  const bin = header ? full : full.subarray(16);
  const entry = { signatureInfo: info, batchNum, batchSize, signature: signDeterministic(pem, bin) };
  return packArchive(bin, encodeSignatureList(Array<typeof entry>(signatures).fill(entry)));
}

withPeer(
  'real package: keys.bin verifies, 24131 keys, one flipped bit fails, header removed fails (skipped when ../shared/data/peer is missing)',
  async () => {
    const zip = readFileSync(new URL('keys.bin', peer));
    const trusted = trustedKeys({ '262-v1': DEVELOPMENT });
    const file = await openKeyPackage(zip, trusted);
    expect(file.keys).toHaveLength(24_131);
    expect(file).toMatchObject({ region: 'DE', batchNum: 1, batchSize: 1, start: 1_590_883_200, end: 1_590_969_600 });
    const { bin, sig } = await openArchive(zip);
    const flipped = Buffer.from(bin);
    flipped[5000] = (flipped[5000] as number) ^ 1;
    await expect(openKeyPackage(await packArchive(flipped, sig), trusted)).rejects.toMatchObject({
      reason: 'INVALID_SIGNATURE',
    });
    await expect(openKeyPackage(await packArchive(bin.subarray(16), sig), trusted)).rejects.toMatchObject({
      reason: 'INVALID_SIGNATURE',
    });
  },
);

withPeer(
  'real package, other issuer: verifies under key 310-v1, 140 keys, rolling period absent; fails under any other key (skipped when ../shared/data/peer is missing)',
  async () => {
    const zip = readFileSync(new URL('sample_diagnosis_key_file.zip', peer));
    const file = await openKeyPackage(zip, trustedKeys({ 'ExampleServer-v1': OTHER, '310-v1': SAMPLE }));
    expect(file.keys).toHaveLength(140);
    expect(file.keys.every(({ rollingPeriod }) => rollingPeriod === undefined)).toBe(true);
    await expect(openKeyPackage(zip, trustedKeys({ '310-v1': OTHER }))).rejects.toMatchObject({
      reason: 'INVALID_SIGNATURE',
    });
    await expect(openKeyPackage(zip, trustedKeys({ '262-v1': DEVELOPMENT }))).rejects.toMatchObject({
      reason: 'UNKNOWN_KEYS',
    });
  },
);

test('V-11: an empty key list with a valid signature is a normal package', async () => {
  expect((await openKeyPackage(await aPackage(), ours)).keys).toEqual([]);
});

test('hostile archives: wrong header and wrong count of signatures are refused (V-2, V-7)', async () => {
  await expect(openKeyPackage(await aPackage({ header: false }), ours)).rejects.toMatchObject({
    reason: 'EXPORT_HEADER',
  });
  await expect(openKeyPackage(await aPackage({ infos: 2 }), ours)).rejects.toMatchObject({ reason: 'COUNT_DIFFERS' });
  await expect(openKeyPackage(await aPackage({ signatures: 2 }), ours)).rejects.toMatchObject({
    reason: 'COUNT_DIFFERS',
  });
  await expect(openKeyPackage(await aPackage({ signatures: 0 }), ours)).rejects.toMatchObject({
    reason: 'NO_SIGNATURE',
  });
});

test('V-7: batch numbers must lie in 1..size, size at most 1 000 000, and all parts must be there', async () => {
  for (const [batchNum, batchSize] of [
    [0, 1],
    [2, 1],
    [1, 1_000_001],
    [1, -1],
  ] as const) {
    const zip = aPackage({ batchNum: Math.max(0, batchNum), batchSize: batchSize < 0 ? 2 ** 31 - 1 : batchSize });
    await expect(openKeyPackage(await zip, ours)).rejects.toMatchObject({ reason: 'BATCH_INCOMPLETE' });
  }
  const one = await openKeyPackage(await aPackage({ batchNum: 1, batchSize: 2 }), ours);
  const two = await openKeyPackage(await aPackage({ batchNum: 2, batchSize: 2 }), ours);
  expect(incompleteBatches([one, two])).toEqual([]);
  expect(incompleteBatches([one])).toEqual([one]);
});

test('unsigned export (V-6): a package whose infos name no key is unverifiable', async () => {
  const bin = encodeKeyExport({
    start: 0,
    end: 1,
    region: 'US',
    batchNum: 1,
    batchSize: 1,
    signatureInfos: [{ androidPackage: 'a' }],
    keys: [],
  });
  await expect(openKeyPackage(await packArchive(bin, Buffer.alloc(0)), ours)).rejects.toMatchObject({
    reason: 'NO_SIGNATURE',
  });
});

test('V-10: a configuration is refused when no trusted key signed it', async () => {
  const bin = Buffer.from('0801', 'hex');
  const signed = await packArchive(bin, encodeSignatureList([{ signature: signDeterministic(pem, bin) }]));
  expect((await openAndroidConfiguration(signed, ours.keys.values())).minVersionCode).toBe(1n);
  const unsigned = await packArchive(bin, encodeSignatureList([]));
  await expect(openAndroidConfiguration(unsigned, ours.keys.values())).rejects.toMatchObject({
    reason: 'NO_SIGNATURE',
  });
  const other = await packArchive(
    Buffer.from('0802', 'hex'),
    encodeSignatureList([{ signature: signDeterministic(pem, bin) }]),
  );
  await expect(openAndroidConfiguration(other, ours.keys.values())).rejects.toMatchObject({
    reason: 'INVALID_SIGNATURE',
  });
});
