import { createHash } from 'node:crypto';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { TemporaryExposureKeyExportSchema } from '../../gen/edge/external/exposurenotification/temporary_exposure_key_export_pb.ts';
import { seededRandom } from '../random/random.ts';
import { contentHash } from './content-hash.ts';
import * as vectors from './fixtures/key-export-vectors.ts';
import {
  encodeKeyExport,
  encodeSignatureList,
  encodeSortedKeyExport,
  KEY_EXPORT_HEADER,
  type KeyExport,
} from './key-export.ts';
import { decodeKeyExport, decodeSignatureList } from './key-export-reader.ts';
import { type ExportKey, sortedByKeyData } from './key-writer.ts';
import { verifySignature } from './signature.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const info = {
  appBundleId: 'de.rki.coronawarnapp',
  verificationKeyVersion: 'v1',
  verificationKeyId: '262',
  signatureAlgorithm: '1.2.840.10045.4.3.2',
};
const window = {
  start: 1_599_955_200,
  end: 1_599_958_800,
  region: 'DE',
  batchNum: 1,
  batchSize: 1,
  signatureInfos: [info],
};

function someKeys(count: number, seed = 'keys'): ExportKey[] {
  const random = seededRandom(seed);
  const data = random.bytes(count * 16);
  return Array.from({ length: count }, (_, i) => ({
    keyData: data.subarray(i * 16, i * 16 + 16),
    transmissionRiskLevel: 3 + (i % 6),
    rollingStartIntervalNumber: 2_666_448 + 144 * (i % 14),
    rollingPeriod: 144 - (i % 5),
    reportType: 1 + (i % 3),
    daysSinceOnsetOfSymptoms: (i % 29) - 14,
  }));
}

test('D row 5: foreign vector (D 1.6 vector 1): the file decodes, absent fields stay absent, its signature verifies over bin with header', () => {
  const bin = hex(vectors.foreign.bin);
  const file = decodeKeyExport(bin);
  expect(file).toMatchObject({ start: 1_590_159_600, end: 1_590_246_000, region: 'US', batchNum: 1, batchSize: 1 });
  expect(file.keys).toHaveLength(2);
  expect(file.keys[0]).toEqual({
    keyData: hex('172fc480e598490c34177604339b1543'),
    transmissionRiskLevel: 8,
    rollingStartIntervalNumber: 2_649_980,
    rollingPeriod: 1,
  });
  const list = decodeSignatureList(hex(vectors.foreign.sig));
  expect(list).toHaveLength(1);
  expect(list[0]?.signatureInfo).toEqual(file.signatureInfos[0]);
  const signature = list[0]?.signature as Uint8Array;
  expect(verifySignature(vectors.foreign.publicKey, bin, signature)).toBe(true);
  expect(verifySignature(vectors.foreign.publicKey, bin.subarray(16), signature)).toBe(false);
  expect(encodeSignatureList(list).toString('hex')).toBe(vectors.foreign.sig);
});

test('D 1.6 vector 2: empty hour package, 96 bytes, cwa-hash', () => {
  const bin = encodeKeyExport({ ...window, keys: [] });
  expect(bin.toString('hex')).toBe(vectors.emptyHour.bin);
  expect(bin).toHaveLength(96);
  expect(contentHash(bin)).toBe(vectors.emptyHour.hash);
});

test('D 1.6 vector 3: day package, keys given in wrong order come out sorted, all six fields written', () => {
  const bin = encodeKeyExport({
    ...window,
    end: window.start + 86_400,
    region: 'EUR',
    keys: [
      {
        keyData: Buffer.alloc(16, 0xff),
        transmissionRiskLevel: 8,
        rollingStartIntervalNumber: 2_666_448,
        rollingPeriod: 144,
        reportType: 1,
        daysSinceOnsetOfSymptoms: 2,
      },
      {
        keyData: hex('000102030405060708090a0b0c0d0e0f'),
        transmissionRiskLevel: 3,
        rollingStartIntervalNumber: 2_666_592,
        rollingPeriod: 100,
        reportType: 3,
        daysSinceOnsetOfSymptoms: 1,
      },
    ],
  });
  expect(bin.toString('hex')).toBe(vectors.day.bin);
  expect(contentHash(bin)).toBe(vectors.day.hash);
});

test.each(vectors.indexHashes)('D 1.6 vector 4: cwa-hash of the index body %s', (body, hash) => {
  expect(contentHash(Buffer.from(body))).toBe(hash);
});

test('the writer by hand gives the bytes of protobuf-es, zero and negative values included', () => {
  const keys = [...sortedByKeyData(someKeys(2000))];
  keys[5] = {
    ...(keys[5] as ExportKey),
    transmissionRiskLevel: 0,
    rollingStartIntervalNumber: 0,
    reportType: 0,
    daysSinceOnsetOfSymptoms: 0,
  };
  keys[6] = {
    ...(keys[6] as ExportKey),
    rollingStartIntervalNumber: 2 ** 31 - 1,
    daysSinceOnsetOfSymptoms: -(2 ** 31),
  };
  const generated = toBinary(
    TemporaryExposureKeyExportSchema,
    create(TemporaryExposureKeyExportSchema, {
      startTimestamp: BigInt(window.start),
      endTimestamp: BigInt(window.end),
      region: window.region,
      batchNum: 1,
      batchSize: 1,
      signatureInfos: [info],
      keys: keys.map((key) => ({ ...key, reportType: key.reportType as 1 })),
    }),
  );
  const bin = encodeKeyExport({ ...window, keys });
  expect(bin.subarray(16).equals(generated)).toBe(true);
  expect(fromBinary(TemporaryExposureKeyExportSchema, bin.subarray(16)).keys).toHaveLength(2000);
});

test('what is written is read back', () => {
  const keys = someKeys(300);
  const file = decodeKeyExport(encodeKeyExport({ ...window, keys }));
  expect(file.keys).toEqual(sortedByKeyData(keys));
});

test('P M-2: a report type the enum does not know is read as it stands, not as absent', () => {
  const key = { ...(someKeys(1)[0] as ExportKey), reportType: 6 };
  expect(decodeKeyExport(encodeKeyExport({ ...window, keys: [key] })).keys[0]?.reportType).toBe(6);
});

test('D 1.4: order is unsigned bytewise, also where the leading octets are equal', () => {
  const key = (text: string): ExportKey => ({ ...(someKeys(1)[0] as ExportKey), keyData: hex(text.padEnd(32, '0')) });
  const scrambled = ['ff', '8000000000000002', '8000000000000001', '7f', '80', '00'].map(key);
  const order = sortedByKeyData(scrambled).map(({ keyData }) =>
    Buffer.from(keyData).toString('hex').replace(/0+$/, ''),
  );
  expect(order).toEqual(['', '7f', '8', '8000000000000001', '8000000000000002', 'ff']);
});

test('600,000 keys, the most of one package, are sorted and written', () => {
  const file: KeyExport = { ...window, keys: someKeys(600_000) };
  const bin = encodeKeyExport(file);
  const sorted = decodeKeyExport(bin).keys;
  expect(sorted).toHaveLength(600_000);
  for (let i = 1; i < sorted.length; i++) {
    if (Buffer.compare(sorted[i - 1]?.keyData as Uint8Array, sorted[i]?.keyData as Uint8Array) >= 0)
      throw new Error(`at ${i}`);
  }
}, 30_000);

test.each([
  ['15 octets', { keyData: Buffer.alloc(15) }],
  ['a negative start', { rollingStartIntervalNumber: -1 }],
  ['a level with a fraction', { transmissionRiskLevel: 1.5 }],
])('a key with %s is not written', (_, fault) => {
  expect(() => encodeKeyExport({ ...window, keys: [{ ...(someKeys(1)[0] as ExportKey), ...fault }] })).toThrow(
    'a key has a field',
  );
});

test('P V-2: a wrong header is refused with its first wrong byte', () => {
  const bin = encodeKeyExport({ ...window, keys: [] });
  bin[14] = 0x31;
  expect(() => decodeKeyExport(bin)).toThrow(/export.bin: does not start with "EK Export v1 {4}" \(byte 14\)/);
  expect(() => decodeKeyExport(bin.subarray(0, 3))).toThrow('(byte 3)');
});

test('a truncated message is refused wherever it is cut inside a field, naming a byte of the file', () => {
  const bin = encodeKeyExport({ ...window, keys: someKeys(2) });
  let refused = 0;
  for (let length = KEY_EXPORT_HEADER.length; length < bin.length; length++) {
    try {
      decodeKeyExport(bin.subarray(0, length));
    } catch (error) {
      expect(String(error)).toMatch(/export\.bin: .* \(byte \d+\)$/);
      refused++;
    }
  }
  // Nine places are borders between fields, where a cut leaves a shorter, well-formed message.
  expect(refused).toBe(bin.length - KEY_EXPORT_HEADER.length - 8);
});

test('P V-8: unknown fields are skipped, in the file, in keys and in signature infos', () => {
  const key = hex(`0a10${'11'.repeat(16)}4801`);
  const bin = Buffer.concat([KEY_EXPORT_HEADER, hex('78019a0603414243'), hex('3a14'), key, hex('32032a0141')]);
  expect(decodeKeyExport(bin)).toMatchObject({
    keys: [{ keyData: Buffer.alloc(16, 0x11) }],
    signatureInfos: [{ signatureAlgorithm: 'A' }],
  });
});

test('random bytes behind the header never crash the reader otherwise than by a FormatError', () => {
  const random = seededRandom('fuzz');
  for (let i = 0; i < 3000; i++) {
    const bin = Buffer.concat([KEY_EXPORT_HEADER, random.bytes(random.int(60))]);
    try {
      decodeKeyExport(bin);
      decodeSignatureList(bin.subarray(16));
    } catch (error) {
      expect((error as Error).name).toBe('FormatError');
    }
  }
});

test('golden: a package of 2,000 seeded keys keeps its bytes', () => {
  const bin = encodeKeyExport({ ...window, keys: someKeys(2000, 'golden') });
  expect(createHash('sha256').update(bin).digest('hex')).toMatchInlineSnapshot(
    `"6b1a0050e1f798b14355a172ae7a414bfcd86b911e68b0ccbc7a93aec1a7316d"`,
  );
});

test('D row 3: keys handed over one by one must come in order, and give the same bytes as a list of them', () => {
  const file = { start: 0, end: 3600, region: 'DE', batchNum: 1, batchSize: 1, signatureInfos: [] };
  const keys = [1, 2, 2, 255].map((first) => ({
    keyData: Buffer.alloc(16, first),
    transmissionRiskLevel: 3,
    rollingStartIntervalNumber: 2_642_976,
    rollingPeriod: 144,
    reportType: 3,
    daysSinceOnsetOfSymptoms: 1,
  }));
  expect(encodeSortedKeyExport(file, keys.values(), 10)).toEqual(encodeKeyExport({ ...file, keys: keys.toReversed() }));
  expect(() => encodeSortedKeyExport(file, keys.toReversed().values(), 10)).toThrow(/not in ascending order/);
});
