import { createDecipheriv } from 'node:crypto';
import { expect, test } from 'vitest';
import { seededRandom } from '../lib/random/random.ts';
import {
  advertisement,
  associatedMetadataKey,
  cryptMetadata,
  identifier,
  identifiers,
  paddedData,
  rollingProximityIdentifierKey,
} from './crypto.ts';
import { attenuation, decodeMetadata, encodeMetadata } from './metadata.ts';

const tek = Buffer.from('75c734c6dd1a782de7a965da5eb93125', 'hex');

test('HKDF, RPI, AEM official vectors: decryption returns 40080000', () => {
  expect(rollingProximityIdentifierKey(tek).toString('hex')).toBe('185ad91db69ec7dd048960f1f3ba6175');
  expect(associatedMetadataKey(tek).toString('hex')).toBe('d57c46af7a1d83965b9bed8bd152936a');
  const sent = advertisement(tek, 2_642_976, Buffer.from('40080000', 'hex'));
  expect(sent.toString('hex')).toBe('8be6cd371c5c891604bfbe49df84509672033874');
  const metadata = cryptMetadata(associatedMetadataKey(tek), sent.subarray(0, 16), sent.subarray(16));
  expect(metadata.toString('hex')).toBe('40080000');
});

test('C-9: interval as unsigned 32-bit little-endian, 0 and 4294967295 included', () => {
  expect(paddedData(0).toString('hex')).toBe('454e2d52504900000000000000000000');
  expect(paddedData(4_294_967_295).toString('hex')).toBe('454e2d525049000000000000ffffffff');
  expect(identifier(tek, 4_294_967_295)).toHaveLength(16);
});

test('C-15: decrypting an RPI with the right RPIK yields PaddedData', () => {
  const decipher = createDecipheriv('aes-128-ecb', rollingProximityIdentifierKey(tek), null).setAutoPadding(false);
  expect(decipher.update(identifier(tek, 2_650_000)).equals(paddedData(2_650_000))).toBe(true);
});

test('fast path (C-14): 2304-octet call equals 144 single calls', () => {
  const key = seededRandom('tek').bytes(16);
  const all = identifiers(key, 2_650_032);
  expect(all).toHaveLength(2304);
  for (let i = 0; i < 144; i++)
    expect(all.subarray(i * 16, i * 16 + 16).equals(identifier(key, 2_650_032 + i))).toBe(true);
});

test('metadata (1.3): versions, confidence whatever the minor version (C-17), signed power', () => {
  expect(encodeMetadata({ transmitPower: -14, calibrationConfidence: 3 }).toString('hex')).toBe('5cf20000');
  expect(encodeMetadata({ transmitPower: 8, minorVersion: 0 }).toString('hex')).toBe('40080000');
  expect(decodeMetadata(Buffer.from('4cf2ffff', 'hex'))).toEqual({
    majorVersion: 1,
    minorVersion: 0,
    calibrationConfidence: 3,
    transmitPower: -14,
  });
});

test('M-8: attenuation is never negative', () => {
  expect(attenuation(-14, -57)).toBe(43);
  expect(attenuation(-50, -40)).toBe(0);
});

test('a key of another length is refused', () => {
  expect(() => identifiers(Buffer.alloc(15), 0)).toThrow(RangeError);
});
