import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { isFake } from '../../gateway/fake.ts';
import { withoutPadding } from '../../gateway/submission-payload.ts';
import { decodeConfigAndroid, decodeConfigIos, decodeConfigV1 } from '../../lib/exposure/app-config.ts';
import { openArchive, packArchive } from '../../lib/exposure/export-archive.ts';
import { FormatError } from '../../lib/exposure/format-error.ts';
import { parseDayName } from '../../lib/exposure/intervals.ts';
import { decodeKeyExport, decodeSignatureList } from '../../lib/exposure/key-export-reader.ts';
import { loadPublicKey, verifySignature } from '../../lib/exposure/signature.ts';
import { trustedKeys } from '../../lib/exposure/signature-list.ts';
import { hashText, isTeleTan, TELE_TAN_PATTERN, UUID_PATTERN } from '../../lib/exposure/token-format.ts';
import { ConfigurationError, readConfiguration } from '../../phone/configuration.ts';
import { PhoneError } from '../../phone/http.ts';
import { decodeMetadata } from '../../phone/metadata.ts';
import {
  openAndroidConfiguration,
  openConfigurationV1,
  openKeyPackage,
  PackageError,
} from '../../phone/package-check.ts';
import { parseQrCode } from '../../phone/qr-code.ts';
import { readRegistrationToken, readTan, readTestResult } from '../../phone/verification-requests.ts';
import { parseUpload } from '../../svc/submission/payload.ts';
import { goodConfigurations, goodPackage, goodUploads } from './good-inputs.ts';
import { hostileBytes, hostileText, strangeJson } from './hostile.ts';
import { decoderTarget, marker, refusedBy, type Target } from './target.ts';

const uuid = '1ea6ce8a-9740-41ea-bb37-0242ac130002';

/** Everything that reads octets or text of a caller, a phone, a file or a server, as functions of this process. */
export async function decoderTargets(nowSeconds: number): Promise<Target[]> {
  return [...uploadDecoders(nowSeconds), ...(await exportDecoders()), ...phoneDecoders(), ...tokenDecoders()];
}

function uploadDecoders(nowSeconds: number): Target[] {
  const goods = goodUploads(nowSeconds);
  const settings = {
    maxNumberOfKeys: 30,
    retentionDays: 14,
    originCountry: 'DE',
    countries: new Set(['DE', 'FR', 'IT']),
  };
  return [
    decoderTarget('upload parser', 10, fc.tuple(hostileBytes(goods), fc.boolean()), ([bytes, onBehalf]) => {
      const parsed = parseUpload(bytes, onBehalf, nowSeconds, settings);
      if ('rule' in parsed) return 'refused';
      if (parsed.keys.some((key) => key.keyData.length !== 16)) throw new Error('a key that is no key was accepted');
      return 'accepted';
    }),
    decoderTarget('upload without padding', 6, hostileBytes(goods), (bytes) => {
      const kept = withoutPadding(bytes);
      if (kept === undefined) return 'refused';
      if (kept.length > bytes.length) throw new Error('the payload grew');
      const again = withoutPadding(kept);
      if (again?.equals(kept) !== true) throw new Error('what was kept is read differently the second time');
      return 'accepted';
    }),
  ];
}

async function exportDecoders(): Promise<Target[]> {
  const { bin, sig, signature, publicPem, zip } = await goodPackage();
  const files = goodConfigurations();
  const trusted = trustedKeys({ '262-v1': publicPem });
  const key = createPublicKey(publicPem);
  const base64 = publicPem.replace(/-----[^-]*-----|\s/g, '');
  const configurationZip = await packArchive(files.androidV2, sig);
  return [
    decoderTarget('key export', 6, hostileBytes([bin]), (bytes) =>
      refusedBy([FormatError], () => decodeKeyExport(bytes)),
    ),
    decoderTarget('signature list', 4, hostileBytes([sig]), (bytes) =>
      refusedBy([FormatError], () => decodeSignatureList(bytes)),
    ),
    decoderTarget('archive', 5, hostileBytes([zip]), (bytes) => refusedBy([FormatError], () => openArchive(bytes))),
    decoderTarget('signed package', 3, hostileBytes([zip, configurationZip]), async (bytes) => {
      const errors = [FormatError, PackageError];
      await refusedBy(errors, () => openAndroidConfiguration(bytes, [key]));
      await refusedBy(errors, () => openConfigurationV1(bytes, [key]));
      return refusedBy(errors, () => openKeyPackage(bytes, trusted));
    }),
    decoderTarget('signature', 2, hostileBytes([signature]), (der) =>
      verifySignature(key, bin, der) ? 'accepted' : 'refused',
    ),
    decoderTarget('public key', 2, hostileText([publicPem, base64]), (text) =>
      refusedBy([FormatError], () => loadPublicKey(text)),
    ),
    decoderTarget('app configuration', 4, hostileBytes(Object.values(files)), async (bytes) => {
      await refusedBy([FormatError], () => decodeConfigV1(bytes));
      await refusedBy([FormatError], () => decodeConfigIos(bytes));
      return refusedBy([FormatError, ConfigurationError], () => readConfiguration(decodeConfigAndroid(bytes)));
    }),
  ];
}

function phoneDecoders(): Target[] {
  const rapid = { timestamp: 1_600_000_000, salt: 'A1B2', hash: hashText('1600000000#A1B2') };
  const codes = [
    'https://localhost/?E1277F-E1277F24-4AD2-40BC-AFF8-CBCCCD893E4B',
    `https://s.coronawarn.app?v=1#${Buffer.from(JSON.stringify(rapid)).toString('base64url')}`,
    'https://p.coronawarn.app/?v=1#e30',
  ];
  const answers = [
    { registrationToken: uuid, tan: uuid, testResult: 2, sc: 1_600_000_000, labId: marker, responsePadding: '0' },
    { testResult: 99 },
  ].map((answer) => JSON.stringify(answer));
  const answer = fc.record({ status: fc.constantFrom(200, 201, 204, 400, 500), body: hostileText(answers) });
  return [
    decoderTarget('QR code', 3, hostileText(codes), (code) => refusedBy([PhoneError], () => parseQrCode(code))),
    decoderTarget('answer to a phone', 3, answer, async ({ status, body }) => {
      const response = { status, headers: {}, body: Buffer.from(body) };
      await refusedBy([PhoneError], () => readRegistrationToken(response));
      await refusedBy([PhoneError], () => readTan(response));
      return refusedBy([PhoneError], () => readTestResult(response));
    }),
    decoderTarget('metadata', 1, fc.uint8Array({ minLength: 4, maxLength: 4 }), (octets) => {
      decodeMetadata(Buffer.from(octets));
      return 'accepted';
    }),
  ];
}

function tokenDecoders(): Target[] {
  const texts = hostileText([uuid, '9A3B578UMG', 'DEU7TKSV3H', '2020-09-12', `TAN ${uuid}`, 'a'.repeat(64)]);
  const fakes = fc.oneof(
    texts,
    fc.integer().map(String),
    strangeJson.map((value) => JSON.stringify(value)),
  );
  return [
    decoderTarget('token formats', 4, texts, (text) => {
      if (isTeleTan(text) && !TELE_TAN_PATTERN.test(text)) throw new Error('a teleTAN of other characters');
      const day = parseDayName(text);
      if (day !== undefined && !Number.isInteger(day)) throw new Error('a day that is no number');
      return isTeleTan(text) || UUID_PATTERN.test(text) || day !== undefined ? 'accepted' : 'refused';
    }),
    decoderTarget('cwa-fake', 2, fc.option(fakes, { nil: undefined }), (header) => {
      isFake('verification', header);
      return isFake('submission', header) === undefined ? 'refused' : 'accepted';
    }),
  ];
}
